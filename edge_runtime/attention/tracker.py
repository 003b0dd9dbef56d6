"""Same face, same number: constant velocity and overlap, one step per frame that was looked at.

Faint detections never start a track but may continue one, the idea of ByteTrack (Zhang et al.,
"ByteTrack: Multi-Object Tracking by Associating Every Detection Box", ECCV 2022): a face which
turns away or blurs scores less, yet is still where it is expected. A face that no look has shown
is still there as far as anyone knows: it moves on along its way until a look finds or misses it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from edge_runtime.attention.overlap import Boxes
from edge_runtime.types import Box, Detection, Region

MIN_IOU: Final = 0.15
"""A face keeps its number while its box overlaps the predicted one this much."""

MIN_IOU_FAINT: Final = 0.3
"""A faint detection must lie nearer, for there are more of them and many are nothing."""

LOOSENS_S: Final = 0.2
"""Out of sight for longer, a face may come back farther from its way."""

SMOOTHING: Final = 0.5
"""Weight of the newest displacement in the velocity."""

PLACE: Final = 0.7
"""Weight of the newest box in a track's place: an alpha-beta filter's alpha."""

SIZE: Final = 0.5
"""The same for its size, in which the boxes of a face that holds still differ most."""

FADING_S: Final = 0.5
"""Time constant in which a face out of sight is taken to come to rest: nobody walks on straight."""

STILL: Final = 6.0
"""Surprise a second of a confirmed face that holds still (see gaze.py)."""

MOVING: Final = 12.0
"""More of it for each of its own sizes a second that a face moves."""

STIRRED: Final = 12.0
"""At least so much while something moves beside it. Between looks a face is where its way leads:
at 30 frames a second every second or third frame is enough to keep the box on it."""

DOUBTFUL: Final = 120.0
"""Surprise a second of a face not yet confirmed, or not found where it was expected."""

Covered = Callable[[Boxes], npt.NDArray[np.bool_]]
"""Which of some boxes (n, 4) a frame's looks would have shown, were a face there: (n,)."""


def _everything(boxes: Boxes) -> npt.NDArray[np.bool_]:
    return np.ones(len(boxes), np.bool_)


Stirred = Callable[[Sequence[Box]], Sequence[bool]]
"""In which of some boxes something moves."""


def _calm(boxes: Sequence[Box]) -> list[bool]:
    return [False] * len(boxes)


class Expected(NamedTuple):
    """Where a face is expected now, and how much is to be learnt by looking."""

    box: Box
    surprise: float
    doubtful: bool = False
    """Not confirmed yet, or not found where it was expected: worth a closer look."""


@dataclass(slots=True)
class _Track:
    number: int
    box: Box
    score: float
    seen_at: float
    looked_at: float
    """When a look last showed its place, whether it was found or not."""
    velocity: tuple[float, float] = (0.0, 0.0)
    hits: int = 1
    confirmed: bool = False
    """Once a face, always that face: later sights may be worse."""
    _asked: tuple[float, Box] | None = None
    """When and where it was predicted last: a frame asks several times."""

    @property
    def missed(self) -> bool:
        """The last look at its place did not find it."""
        return self.seen_at < self.looked_at

    @property
    def doubtful(self) -> bool:
        return self.missed or not self.confirmed

    def predicted(self, now: float) -> Box:
        if self._asked is None or self._asked[0] != now:
            self._asked = now, self._moved(now - self.seen_at)
        return self._asked[1]

    def _moved(self, elapsed: float) -> Box:
        if elapsed <= 0 or self.velocity == (0.0, 0.0):
            return self.box
        reach = FADING_S * (1 - math.exp(-elapsed / FADING_S))
        x, y, w, h = self.box
        return Box(x + self.velocity[0] * reach, y + self.velocity[1] * reach, w, h)

    def surprise(self, now: float, stirred: bool) -> float:
        if self.doubtful:
            rate = DOUBTFUL
        else:
            speed = math.hypot(*self.velocity) / max(self.box.w, self.box.h, 1e-6)
            rate = max(STILL + MOVING * speed, STIRRED if stirred else 0.0)
        return rate * (now - self.looked_at)

    def follow(self, detection: Detection, now: float) -> None:
        elapsed = now - self.seen_at
        box = detection.box
        if elapsed > 0:
            expected = self.predicted(now)
            w, h = (a + SIZE * (b - a) for a, b in zip(expected[2:], box[2:], strict=True))
            (ex, ey), (bx, by) = expected.centre, box.centre
            x, y = ex + PLACE * (bx - ex), ey + PLACE * (by - ey)
            old = self.box.centre
            vx, vy = (x - old[0]) / elapsed, (y - old[1]) / elapsed
            self.velocity = (
                self.velocity[0] + SMOOTHING * (vx - self.velocity[0]),
                self.velocity[1] + SMOOTHING * (vy - self.velocity[1]),
            )
            box = Box(x - w / 2, y - h / 2, w, h)
        self.box, self.score, self.seen_at, self.looked_at = box, detection.score, now, now
        self._asked = None
        self.hits += detection.sights


class Tracker:
    """Gives detections of one view lasting numbers.

    A face counts once it was found by ``confirm_hits`` looks or by one with at least
    ``sure_score``: a pattern which fools the detector for a single frame is never shown. It keeps
    its number for ``patience_s`` seconds out of sight.
    """

    def __init__(
        self, *, confirm_hits: int = 2, sure_score: float = 0.8, patience_s: float = 1.2
    ) -> None:
        self._confirm_hits = confirm_hits
        self.sure_score = sure_score
        self._patience_s = patience_s
        self._tracks: list[_Track] = []
        self._numbered = 0

    @property
    def active(self) -> int:
        """Faces being followed, those just out of sight included."""
        return len(self._tracks)

    def expected(self, now: float, stirred: Stirred = _calm) -> tuple[Expected, ...]:
        """Where every face is expected; ``stirred`` says in which boxes something moves."""
        self._forget(now)
        boxes = [track.predicted(now) for track in self._tracks]
        return tuple(
            Expected(box, track.surprise(now, moved), track.doubtful)
            for box, track, moved in zip(boxes, self._tracks, stirred(boxes), strict=True)
        )

    def update(
        self,
        detections: Sequence[Detection],
        now: float,
        *,
        faint: Sequence[Detection] = (),
        covered: Covered = _everything,
    ) -> tuple[Region, ...]:
        """The confirmed faces of this frame, each with its number.

        ``detections`` score enough to be faces; ``faint`` ones only continue what is confirmed.
        Faces that were found come first; those whose place was not ``covered`` follow where they
        are expected.
        """
        self._forget(now)
        pairs = _matches(detections, self._tracks, now, MIN_IOU)
        seen = [self._seen(detection, pairs.get(i), now) for i, detection in enumerate(detections)]
        unseen = [track for track in self._tracks if track.seen_at < now and track.confirmed]
        for index, track in _matches(faint, unseen, now, MIN_IOU_FAINT).items():
            track.follow(faint[index], now)
            seen.append(track)
        regions = [
            Region(track.number, track.box, track.score) for track in seen if track.confirmed
        ]
        return (*regions, *self._unseen(now, covered))

    def expect(self, now: float) -> tuple[Region, ...]:
        """The faces of a frame that nobody looked at: where they are expected."""
        self._forget(now)
        return tuple(
            Region(track.number, track.predicted(now), track.score)
            for track in self._tracks
            if not track.doubtful
        )

    def possible(self, now: float) -> tuple[Box, ...]:
        """Where faces may be that are not among the regions: out of sight, or doubtful."""
        return tuple(track.predicted(now) for track in self._tracks if track.doubtful)

    def _unseen(self, now: float, covered: Covered) -> list[Region]:
        """Notes who was missed; returns those that no look has shown."""
        tracks = [track for track in self._tracks if track.seen_at < now]
        if not tracks:
            return []
        boxes = [track.predicted(now) for track in tracks]
        shown = covered(np.array(boxes, np.float32))
        regions = []
        for track, box, looked in zip(tracks, boxes, shown.tolist(), strict=True):
            if looked:
                track.looked_at = now
            elif not track.doubtful:
                regions.append(Region(track.number, box, track.score))
        return regions

    def _forget(self, now: float) -> None:
        self._tracks = [t for t in self._tracks if now - t.seen_at <= self._patience_s]

    def _seen(self, detection: Detection, track: _Track | None, now: float) -> _Track:
        if track is None:
            self._numbered += 1
            track = _Track(
                self._numbered, detection.box, detection.score, now, now, hits=detection.sights
            )
            self._tracks.append(track)
        else:
            track.follow(detection, now)
        if track.hits >= self._confirm_hits or track.score >= self.sure_score:
            track.confirmed = True
        return track


def _matches(
    detections: Sequence[Detection], tracks: Sequence[_Track], now: float, least_iou: float
) -> dict[int, _Track]:
    """Detection index to track, best overlap first, each used once."""
    if not detections or not tracks:
        return {}
    if len(detections) == len(tracks) == 1 and now - tracks[0].seen_at <= LOOSENS_S:
        # The usual case; numpy costs by the call, and here are none.
        near = detections[0].box.iou(tracks[0].predicted(now)) >= least_iou
        return {0: tracks[0]} if near else {}
    predicted = np.array([track.predicted(now) for track in tracks], np.float32)
    found = np.array([detection.box for detection in detections], np.float32)
    patience = np.array([now - track.seen_at for track in tracks], np.float32)
    overlap = _loose_iou(found, predicted, 1 + np.maximum(patience - LOOSENS_S, 0))
    rows, columns = np.nonzero(overlap >= least_iou)
    best = np.argsort(-overlap[rows, columns], kind="stable").tolist()
    pairs: dict[int, _Track] = {}
    taken: set[int] = set()
    for row, column in zip(rows[best].tolist(), columns[best].tolist(), strict=True):
        if row not in pairs and column not in taken:
            pairs[row] = tracks[column]
            taken.add(column)
    return pairs


def _loose_iou(
    found: Boxes, predicted: Boxes, growth: npt.NDArray[np.float32]
) -> npt.NDArray[np.float32]:
    """Overlap (n, m) of boxes that both grow around their centres by each prediction's factor:
    the longer a face was out of sight, the farther from its way it may come back.
    """
    apart = np.abs(
        (found[:, None, :2] + found[:, None, 2:] / 2)
        - (predicted[None, :, :2] + predicted[None, :, 2:] / 2)
    )
    one, other = found[:, None, 2:] * growth[:, None], predicted[None, :, 2:] * growth[:, None]
    shared = np.clip(np.minimum((one + other) / 2 - apart, np.minimum(one, other)), 0, None)
    common = shared[..., 0] * shared[..., 1]
    areas = one[..., 0] * one[..., 1] + other[..., 0] * other[..., 1]
    return np.asarray(common / np.maximum(areas - common, 1e-9), np.float32)
