"""From a Config to a Pipeline: models found, engines opened, stages put in order."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Final

from edge_runtime.attention.attention import Attention
from edge_runtime.attention.detector import Detector
from edge_runtime.attention.tracker import Tracker
from edge_runtime.classify import Classifier
from edge_runtime.closeable import Closeable
from edge_runtime.config import Config
from edge_runtime.engine.engine import Engine, open_engine
from edge_runtime.pipeline import Inflow, Labeller, Pipeline, Turn
from edge_runtime.store.catalogue import Catalogue
from edge_runtime.store.manifest import DETECTORS, Kind
from edge_runtime.store.model import Model
from edge_runtime.types import Clock, ModelInUse

FAINT: Final = 0.5
"""What scores this share of the threshold starts no face, but continues one that is followed, and
pictures for people hide it."""

SURE: Final = 0.08
"""What scores so much more than the threshold is a face at once, without waiting."""

CONFIRM_HITS: Final = 3
"""How often anything less must be seen: a back of a head looks like a face for a frame or two."""


@dataclass(frozen=True, slots=True)
class OpenedModel:
    """A model of the catalogue and the engine that runs it."""

    model: Model
    engine: Engine

    @property
    def in_use(self) -> ModelInUse:
        manifest = self.model.manifest
        return ModelInUse(
            name=manifest.name,
            version=manifest.version,
            kind=manifest.kind,
            sha256=self.model.sha256,
            bytes=self.model.bytes,
            backend=self.engine.backend,
        )


class Assembly(Closeable):
    """The models a config names, opened, and the pipelines made of them. Close it.

    Raises ModelMissing, ManifestInvalid or ModelRejected with the model's name.
    """

    def __init__(self, config: Config, *, clock: Clock = time.monotonic) -> None:
        self._config = config
        self._clock = clock
        catalogue = Catalogue(config.models.dirs)
        with ExitStack() as opened:
            self._detector = self._open(catalogue, config.detector.model, DETECTORS, opened)
            self._classifiers = tuple(
                self._open(catalogue, name, ("crop-classifier",), opened)
                for name in config.classify.models
            )
            self._engines = opened.pop_all()

    @property
    def opened(self) -> tuple[OpenedModel, ...]:
        """The detector, then the classifiers."""
        return (self._detector, *self._classifiers)

    @property
    def models(self) -> tuple[ModelInUse, ...]:
        return tuple(each.in_use for each in self.opened)

    def pipeline(
        self, inflow: Inflow, *, confirm: bool = True, motion_threshold: float | None = None
    ) -> Pipeline:
        """A pipeline with its own attention; pipelines share the engines, so use one at a time.

        Without ``confirm`` each frame is judged by itself: what reaches the threshold is a face,
        what does not is none. ``motion_threshold`` overrules the config; 0 looks at every frame.
        """
        config = self._config
        if motion_threshold is None:
            motion_threshold = config.detector.motion_threshold
        attention = Attention(
            self._detector_at(self.threshold * FAINT if confirm else self.threshold),
            Tracker(confirm_hits=CONFIRM_HITS if confirm else 1, sure_score=self.threshold + SURE),
            threshold=self.threshold,
            motion_threshold=motion_threshold,
            idle_interval_s=config.detector.idle_interval_s,
        )
        return Pipeline(
            attention,
            self._labeller(),
            models=self.models,
            inflow=inflow,
            clock=self._clock,
        )

    @property
    def threshold(self) -> float:
        """Lowest score of a face: the config's, or else the detector's manifest's."""
        wanted = self._config.detector.threshold
        return self._detector.model.manifest.threshold if wanted is None else wanted

    def _detector_at(self, threshold: float) -> Detector:
        opened = self._detector
        return Detector(opened.engine, opened.model.manifest, threshold=threshold)

    def _labeller(self) -> Labeller:
        """All classifiers, at the config's cadence."""
        every = self._config.classify.every_n_frames
        classifiers = (Classifier(each.engine, each.model.manifest) for each in self._classifiers)
        return Labeller([Turn(each, every) for each in classifiers])

    def close(self) -> None:
        self._engines.close()

    def _open(
        self, catalogue: Catalogue, name: str, kinds: Sequence[Kind], opened: ExitStack
    ) -> OpenedModel:
        model = catalogue.find(name, kinds=kinds)
        engine = open_engine(
            model.path, threads=self._config.engine.threads, backend=self._config.engine.backend
        )
        opened.callback(engine.close)
        return OpenedModel(model, engine)
