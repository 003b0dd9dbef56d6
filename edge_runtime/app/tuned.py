"""How a model runs here: as ``edge-runtime tune`` measured it on this board, else as settings say.

``engine.threads``, when set, counts more than what was measured: then the fastest way on so many
threads is taken.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path

from edge_runtime.config import Config
from edge_runtime.engine.engine import Engine
from edge_runtime.engine.litert import library_version
from edge_runtime.errors import ModelError
from edge_runtime.store.model import Model
from edge_runtime.store.tuning import FILE_NAME, Conditions, Setup, Tunings
from edge_runtime.store.variant import Variant
from edge_runtime.telemetry.board import read_board
from edge_runtime.telemetry.kernel_files import KernelFiles

log = logging.getLogger(__name__)


def open_tunings(config: Config) -> Tunings:
    """What was measured before; nothing is written by opening it."""
    return Tunings(config.state_dir / FILE_NAME)


def conditions_here(config: Config, root: Path = Path("/")) -> Conditions:
    """What is measured now holds for these. Raises LibraryMissing."""
    backend = config.engine.backend
    engine = backend if backend == "fake" else library_version(backend)
    cores = len(os.sched_getaffinity(0))
    return Conditions(read_board(KernelFiles(root)).name, cores, engine)


def open_tuned(model: Model, config: Config) -> tuple[Model, Engine]:
    """The model, or the variant that runs fastest here, loaded into an interpreter; close that.

    Raises as ``Model.open_engine``, for the model itself: a variant that cannot be opened is left
    out with a warning.
    """
    settings = config.engine
    measured = measured_here(model, config)
    if measured is not None:
        try:
            return _opened(model, *measured, settings.backend)
        except ModelError as error:
            log.warning("%s: what was measured fastest cannot run: %s", model.manifest.name, error)
    return model, model.open_engine(threads=settings.threads or 1, backend=settings.backend)


def measured_here(model: Model, config: Config) -> tuple[Variant, Setup] | None:
    """The fastest way of those measured under today's conditions, if its file is still offered."""
    measured = open_tunings(config).of(model.sha256)
    if not measured:
        return None  # so that nothing else need be known
    here = conditions_here(config)
    offered = {each.sha256: each for each in model.manifest.offers}
    for tuned in measured:
        setup = tuned.fastest(config.engine.threads)
        if tuned.conditions == here and setup is not None and setup.sha256 in offered:
            return offered[setup.sha256], setup
    return None


def _opened(model: Model, variant: Variant, setup: Setup, backend: str) -> tuple[Model, Engine]:
    chosen = model.as_variant(variant)
    engine = chosen.open_engine(threads=setup.threads, backend=backend, xnnpack=setup.xnnpack)
    what, median_ms = model.manifest.name, setup.median_ms
    log.info("%s runs as measured on this board: %s (%.3f ms)", what, setup, median_ms)
    return chosen, engine
