"""Asks the classifiers about the faces: each at its own pace, all on the same crops."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple, Protocol

from edge_runtime.attention.attention import Lap
from edge_runtime.attention.crop import cut
from edge_runtime.classify import Classifier
from edge_runtime.pipeline.ballot import Ballot, weight_of
from edge_runtime.types import Crop, CropSpec, Face, Picture, Region, Result

Labels = dict[str, Mapping[str, float]]
"""Model name to (label to score)."""

GOOD_ENOUGH: Final = 0.8
"""Of the best sight of a face since it was last asked about: when its turn has come, such a sight
will do; a worse one waits for up to half a turn more."""

MUCH_BETTER: Final = 1.5
"""Times what was asked about last: so much better a sight does not wait for its turn."""


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


@dataclass(slots=True)
class _Said:
    """What a classifier said about a face so far."""

    frame: int
    """When it was asked last."""
    quality: float
    """Of that sight."""
    best: float
    """Best quality since."""
    ballot: Ballot = field(default_factory=Ballot)
    scores: Mapping[str, float] = field(default_factory=dict)


class Labeller:
    """Asks every classifier about every face when its turn has come, on a good sight of it.

    Faces that came together are spread over the frames of a turn: each frame asks about as many as
    keep the pace, those that waited longest first.
    """

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
            due = self._due(turn, regions, said)
            if due:
                crops = self._crops(picture, due, turn.classifier.crop_spec, cuts)
                lap("crop")
                self._ask(turn.classifier, picture, due, crops, said)
                lap("classify")
        self._remember(said)
        return tuple(Face(r.track, r.box, r.score, _labels(said[r.track])) for r in regions)

    def _due(
        self, turn: Turn, regions: Sequence[Region], said: Mapping[int, Mapping[str, _Said]]
    ) -> list[Region]:
        name = turn.classifier.name
        if turn.every == 1:
            return list(regions)
        due = [(said[r.track].get(name), r) for r in regions]
        due = [(last, r) for last, r in due if last is None or self._ripe(last, r, turn.every)]
        most = -(-len(regions) // turn.every)
        if len(due) > most:
            due.sort(key=lambda pair: pair[0].frame if pair[0] else -1)
        return [region for _, region in due[:most]]

    def _ripe(self, last: _Said, region: Region, every: int) -> bool:
        quality = _quality(region)
        last.best = max(last.best, quality)
        waited = self._frame - last.frame
        if waited < every:
            return quality >= MUCH_BETTER * last.quality
        return quality >= GOOD_ENOUGH * last.best or 2 * waited >= 3 * every

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
        for region, crop, result in zip(regions, crops, results, strict=True):
            answers, quality = said[region.track], _quality(region)
            last = answers.setdefault(result.model, _Said(self._frame, quality, quality))
            last.frame, last.quality, last.best = self._frame, quality, quality
            last.ballot.cast(result.scores, weight_of(crop, classifier.crop_spec))
            last.scores = last.ballot.scores
        self.invoke_s += classifier.invoke_s
        self.inferences += len(crops)
        if self.listener is not None:
            self.listener.hear(picture, regions, classifier, results)

    def _remember(self, said: dict[int, dict[str, _Said]]) -> None:
        """A face that is away for less than a classifier's turn keeps what was said of it."""
        if self._said.keys() <= said.keys():
            self._said = said
            return
        oldest = self._frame - self._longest
        away = {t: answers for t, answers in self._said.items() if t not in said}
        kept = {t: a for t, a in away.items() if any(s.frame >= oldest for s in a.values())}
        self._said = kept | said


def _quality(region: Region) -> float:
    """How good a sight of a face is: how sure the detector was, and how large the face."""
    return region.score * min(region.box.w, region.box.h)


def _labels(said: Mapping[str, _Said]) -> Labels:
    return {model: answer.scores for model, answer in said.items()}
