"""``edge-runtime tune``: find out how a model runs fastest on this board, and remember it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

import click

from edge_runtime.app.intake import open_shelf
from edge_runtime.app.lineup import Lineup
from edge_runtime.app.tuned import conditions_here, open_tunings
from edge_runtime.bench import tune as measuring
from edge_runtime.bench.machine import this_machine
from edge_runtime.bench.tune import MAX_LOSS, Trial, setups_of
from edge_runtime.cli.options import config_option, overrides, set_option
from edge_runtime.config import Config, load_config
from edge_runtime.engine.engine import Engine
from edge_runtime.errors import ModelMissing
from edge_runtime.store.catalogue import Catalogue
from edge_runtime.store.model import Model
from edge_runtime.store.tuning import Tuned, Tunings

HEAD = ("", "variant", "precision", "threads", "XNNPACK", "median ms", "p95 ms", "loss", "")


@click.command()
@click.argument("name", metavar="NAME|PATH")
@click.option(
    "--max-loss",
    type=click.FloatRange(0, 1),
    default=MAX_LOSS,
    show_default=True,
    help="Accuracy, as a share, that a faster variant may lose.",
)
@click.option(
    "--runs",
    type=click.IntRange(min=10),
    default=200,
    show_default=True,
    help="Measured runs of each way.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--dry-run", is_flag=True, help="Measure and print, but remember nothing.")
@config_option
@set_option
def tune(
    *,
    name: str,
    max_loss: float,
    runs: int,
    as_json: bool,
    dry_run: bool,
    config_file: Path | None,
    settings: tuple[tuple[str, object], ...],
) -> None:
    """Measure every variant of a model on every number of threads, with XNNPACK and without.

    The fastest that loses little enough accuracy is remembered, and used on this board from the
    next start on. NAME may be NAME/DIGITS of a version on the shelf; PATH is a model's folder.
    """
    config = load_config(config_file, os.environ, overrides({}, settings))
    model, here = _model(name, config), conditions_here(config)

    def open_engine(variant: Model, threads: int, xnnpack: bool) -> Engine:
        backend = config.engine.backend
        return variant.open_engine(threads=threads, backend=backend, xnnpack=xnnpack)

    trials = measuring.tune(
        model, cores=here.cores, runs=runs, max_loss=max_loss, open_engine=open_engine
    )
    tunings = None if dry_run else open_tunings(config)
    if tunings is not None:
        tunings.put(Tuned(model.sha256, here, setups_of(trials)))
    if as_json:
        click.echo(json.dumps(_json_of(model, trials, tunings), indent=2))
        return
    for line in _report(model, trials, tunings):
        click.echo(line)


def _model(name: str, config: Config) -> Model:
    """From a path, the shelf or the folders of the settings. Raises ModelError."""
    if Path(name).exists():
        return Catalogue(config.models.dirs).find(str(Path(name).absolute()))
    lineup = Lineup(config, open_shelf(config))
    model = lineup.of(*lineup.named(name))
    if model is None:
        raise ModelMissing(f"there is no model {name} to measure")
    return model


def _json_of(model: Model, trials: Sequence[Trial], tunings: Tunings | None) -> dict[str, object]:
    return {
        "machine": str(this_machine()),
        "model": model.manifest.name,
        "sha256": model.sha256,
        "chosen": trials[0].as_json(),
        "trials": [trial.as_json() for trial in trials],
        "file": str(tunings.file) if tunings else None,
    }


def _report(model: Model, trials: Sequence[Trial], tunings: Tunings | None) -> Iterable[str]:
    yield f"machine: {this_machine()}"
    yield f"model:   {model.manifest.name} {model.manifest.version}"
    rows = [HEAD, *(_row(trial, chosen=trial is trials[0]) for trial in trials)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()
    if any(trial.loss and trial.loss.source == "golden" for trial in trials):
        yield "loss: distance from the answers of the model itself, where no accuracy is written"
    yield f"kept in {tunings.file}, for this board" if tunings else "nothing was kept"


def _row(trial: Trial, *, chosen: bool) -> tuple[str, ...]:
    way, took = trial.way, trial.invoke_ms
    refused = "" if trial.allowed else "loses too much"
    return (
        "*" if chosen else "",
        way.variant.name,
        way.variant.precision or "-",
        str(way.threads),
        "on" if way.xnnpack else "off",
        f"{took.median:.3f}" if took else "-",
        f"{took.p95:.3f}" if took else "-",
        f"{trial.loss.share:.4f}" if trial.loss else "-",
        trial.problem or refused,
    )
