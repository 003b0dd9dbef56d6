"""Asks the classifiers about the faces: each at its own pace, all on the same crops."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from edge_runtime.attention.attention import Lap
from edge_runtime.attention.crop import cut
from edge_runtime.classify import Classifier
from edge_runtime.types import Crop, CropSpec, Face, Picture, Region, Result

Labels = dict[str, Mapping[str, float]]
"""Model name to (label to score)."""


class Turn(NamedTuple):
    """A classifier and how often it is asked about a face."""

    classifier: Classifier
    every: int = 1
    """Frames from one question about a face to the next; meanwhile the face keeps the answer."""


class Listener(Protocol):
    """Somebody who wants to know what was answered, such as a candidate being compared."""

    def hear(
        self,
        picture: Picture,
        regions: Sequence[Region],
        classifier: Classifier,
        results: Sequence[Result],
    ) -> None:
        """What a classifier just answered for ``regions``, in their order."""


class _Said(NamedTuple):
    """A classifier's last answer about a face."""

    frame: int
    scores: Mapping[str, float]


class Labeller:
    """Asks every classifier about every face when its turn has come."""

    def __init__(self, turns: Sequence[Turn]) -> None:
        self._frame = 0
        self.listener: Listener | None = None
        self.inferences = 0
        """Classifier runs since the start."""
        self.invoke_s = 0.0
        """Seconds the last frame spent inside interpreters."""
        self.exchange(turns)

    def exchange(self, turns: Sequence[Turn]) -> None:
        """Other classifiers from the next frame on; every face is due at once."""
        self._turns = tuple(turns)
        self._longest = max((turn.every for turn in self._turns), default=1)
        self._said: dict[int, dict[str, _Said]] = {}

    def label(self, picture: Picture, regions: Sequence[Region], lap: Lap) -> tuple[Face, ...]:
        """The regions with their labels; laps ``crop`` and ``classify``."""
        self._frame += 1
        self.invoke_s = 0.0
        said = {region.track: self._said.get(region.track, {}) for region in regions}
        cuts: dict[CropSpec, dict[int, Crop]] = {}
        for turn in self._turns if regions else ():
            due = [region for region in regions if self._due(said[region.track], turn)]
            if due:
                crops = self._crops(picture, due, turn.classifier.crop_spec, cuts)
                lap("crop")
                self._ask(turn.classifier, picture, due, crops, said)
                lap("classify")
        self._remember(said)
        return tuple(Face(r.track, r.box, r.score, _labels(said[r.track])) for r in regions)

    def _due(self, said: Mapping[str, _Said], turn: Turn) -> bool:
        last = said.get(turn.classifier.name)
        return last is None or self._frame - last.frame >= turn.every

    def _crops(
        self,
        picture: Picture,
        regions: Sequence[Region],
        spec: CropSpec,
        cuts: dict[CropSpec, dict[int, Crop]],
    ) -> list[Crop]:
        """The regions' crops; classifiers that want the same crop share it."""
        own = cuts.setdefault(spec, {})
        for region in regions:
            if region.track not in own:
                own[region.track] = cut(picture, region, spec)
        return [own[region.track] for region in regions]

    def _ask(
        self,
        classifier: Classifier,
        picture: Picture,
        regions: Sequence[Region],
        crops: Sequence[Crop],
        said: Mapping[int, dict[str, _Said]],
    ) -> None:
        results = classifier.classify(crops)
        for result in results:
            said[result.track][result.model] = _Said(self._frame, result.scores)
        self.invoke_s += classifier.invoke_s
        self.inferences += len(crops)
        if self.listener is not None:
            self.listener.hear(picture, regions, classifier, results)

    def _remember(self, said: dict[int, dict[str, _Said]]) -> None:
        """A face that is away for less than a classifier's turn keeps what was said of it."""
        oldest = self._frame - self._longest
        away = {t: answers for t, answers in self._said.items() if t not in said}
        kept = {t: a for t, a in away.items() if any(s.frame >= oldest for s in a.values())}
        self._said = kept | said


def _labels(said: Mapping[str, _Said]) -> Labels:
    return {model: answer.scores for model, answer in said.items()}
