"""From a Config to a Pipeline: models found, engines opened, stages put in order."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Final

import numpy as np

from edge_runtime.app.lineup import DETECTOR, Lineup
from edge_runtime.app.tuned import open_tuned
from edge_runtime.attention.attention import Attention, Manner
from edge_runtime.attention.budget import Budget
from edge_runtime.attention.detector import Detector
from edge_runtime.attention.tracker import Tracker
from edge_runtime.classify import Classifier
from edge_runtime.closeable import Closeable
from edge_runtime.config import Config
from edge_runtime.engine.engine import Engine
from edge_runtime.errors import ModelError
from edge_runtime.pipeline import Inflow, Labeller, Pipeline, Turn
from edge_runtime.store.model import Model
from edge_runtime.store.shelf.shelf import Shelf
from edge_runtime.types import Clock, ModelInUse

FAINT: Final = 0.5
"""What scores this share of the threshold starts no face, but continues one that is followed, and
pictures for people hide it."""

SURE: Final = 0.13
"""What scores so much more than the threshold is a face at once, without waiting."""

CONFIRM_HITS: Final = 3
"""How often anything less must be seen: a back of a head looks like a face for a frame or two."""


WARM_UP: Final = 3
"""Runs before a model is put in: the first ones fetch weights and memory."""


@dataclass(frozen=True, slots=True)
class OpenedModel:
    """A model of the catalogue, or the variant of it that was chosen, and the engine it runs in."""

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
    """The models that play, opened, and the pipelines made of them. Close it.

    Raises ModelMissing, ManifestInvalid or ModelRejected with the model's name.
    """

    def __init__(
        self, config: Config, *, shelf: Shelf | None = None, clock: Clock = time.monotonic
    ) -> None:
        self._config = config
        self._clock = clock
        self.lineup = Lineup(config, shelf)
        self._playing: dict[str, OpenedModel] = {}
        with ExitStack() as opened:
            opened.callback(self.close)
            for role, model in self.lineup.all().items():
                self._playing[role] = self.open(model)
            opened.pop_all()

    @property
    def opened(self) -> tuple[OpenedModel, ...]:
        """The detector, then the classifiers."""
        return tuple(self._playing.values())

    @property
    def models(self) -> tuple[ModelInUse, ...]:
        return tuple(each.in_use for each in self.opened)

    @property
    def roles(self) -> tuple[str, ...]:
        """Those that somebody plays."""
        return tuple(self._playing)

    def open(self, model: Model) -> OpenedModel:
        """Load a model into an interpreter; whoever calls closes it, unless it is put in."""
        return OpenedModel(*open_tuned(model, self._config))

    def open_warm(self, model: Model) -> OpenedModel:
        """As ``open``, and run a few times; in the caller's thread, so frames go on meanwhile."""
        opened = self.open(model)
        try:
            warm_up(opened.engine)
        except ModelError:
            opened.engine.close()
            raise
        return opened

    def playing(self, role: str) -> OpenedModel | None:
        """Who plays a role."""
        return self._playing.get(role)

    def put_in(self, role: str, opened: OpenedModel | None, pipelines: Sequence[Pipeline]) -> None:
        """Let another model, or nobody, play a role in all pipelines from the next frame on.

        Only between two frames. The one before is not closed. Raises ModelRejected when the model
        does not fit the role, and then nothing has changed, in none of them.
        """
        playing = {each: model for each, model in self._playing.items() if each != role}
        if opened is not None:
            # The detector stays in front: it is the first that is shown.
            playing = {role: opened} | playing if role == DETECTOR else playing | {role: opened}
        # All that can fail comes first: a model is in every pipeline or in none.
        fresh = [
            self._detector_of(playing[DETECTOR]) if role == DETECTOR else None for _ in pipelines
        ]
        self._set_in(pipelines, playing, self._turns(playing), fresh)

    def settle(
        self,
        config: Config,
        lineup: Lineup,
        playing: dict[str, OpenedModel],
        pipelines: Sequence[Pipeline],
    ) -> None:
        """From the next frame on work as other settings say, with these models and no others.

        Only between two frames. None is closed. Raises ModelRejected when a model does not fit its
        role, and then nothing has changed.
        """
        before = self._config, self.lineup
        self._config, self.lineup = config, lineup
        try:
            fresh = [self._detector_of(playing[DETECTOR]) for _ in pipelines]
            turns = self._turns(playing)
        except ModelError:
            self._config, self.lineup = before
            raise
        self._set_in(pipelines, playing, turns, fresh, self._manner())

    def _set_in(
        self,
        pipelines: Sequence[Pipeline],
        playing: dict[str, OpenedModel],
        turns: Sequence[Turn],
        fresh: Sequence[Detector | None],
        manner: Manner | None = None,
    ) -> None:
        """What cannot fail any more; without a ``fresh`` detector a pipeline keeps its own."""
        self._playing = playing
        for pipeline, detector in zip(pipelines, fresh, strict=True):
            pipeline.exchange(
                models=self.models,
                turns=turns,
                detector=detector,
                threshold=self.threshold,
                sure_score=self.threshold + SURE,
                manner=manner,
            )

    def pipeline(
        self,
        inflow: Inflow,
        *,
        confirm: bool = True,
        motion_threshold: float | None = None,
        budget: str | None = None,
        every: int | None = None,
    ) -> Pipeline:
        """A pipeline with its own attention; pipelines share the engines, so use one at a time.

        Without ``confirm`` each frame is judged by itself: what reaches the threshold is a face,
        what does not is none. ``motion_threshold``, ``budget`` and ``every`` (frames from one
        question about a face to the next) overrule the config; a motion threshold of 0 looks at
        every frame.
        """
        manner = self._manner()
        if motion_threshold is not None:
            manner["motion_threshold"] = motion_threshold
        if budget is not None:
            manner["budget"] = Budget.parse(budget)
        attention = Attention(
            self._detector_of(self._playing[DETECTOR], faint=FAINT if confirm else 1.0),
            Tracker(confirm_hits=CONFIRM_HITS if confirm else 1, sure_score=self.threshold + SURE),
            threshold=self.threshold,
            **manner,
        )
        return Pipeline(
            attention,
            Labeller(self._turns(self._playing, every)),
            models=self.models,
            inflow=inflow,
            clock=self._clock,
        )

    @property
    def threshold(self) -> float:
        """Lowest score of a face: the config's, or else the detector's manifest's."""
        return self._threshold_of(self._playing[DETECTOR])

    def _manner(self) -> Manner:
        config = self._config
        return Manner(
            motion_threshold=config.detector.motion_threshold,
            idle_interval_s=config.detector.idle_interval_s,
            budget=Budget.parse(str(config.detector.budget)),
            smallest_face=config.detector.smallest_face,
            unseen_s=config.detector.unseen_s,
        )

    def _threshold_of(self, opened: OpenedModel) -> float:
        wanted = self._config.detector.threshold
        return opened.model.manifest.threshold if wanted is None else wanted

    def _detector_of(self, opened: OpenedModel, *, faint: float = FAINT) -> Detector:
        """``faint``: the share of the threshold from which on a face is followed."""
        threshold = self._threshold_of(opened) * faint
        return Detector(opened.engine, opened.model.manifest, threshold=threshold)

    def _turns(self, playing: dict[str, OpenedModel], every: int | None = None) -> list[Turn]:
        """All classifiers, each at its own pace unless ``every`` is given."""
        return [
            Turn(Classifier(each.engine, each.model.manifest), every or self.lineup.every(role))
            for role, each in playing.items()
            if role != DETECTOR
        ]

    def close(self) -> None:
        for opened in self._playing.values():
            opened.engine.close()


def warm_up(engine: Engine) -> None:
    """Run a model a few times on nothing."""
    for index in range(len(engine.inputs)):
        np.asarray(engine.input(index))[...] = 0
    for _ in range(WARM_UP):
        engine.invoke()
