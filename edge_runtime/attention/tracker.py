"""Same face, same number: constant-velocity prediction and overlap, one step per detection run.

Faint detections never start a track but may continue one, the idea of ByteTrack (Zhang et al.,
"ByteTrack: Multi-Object Tracking by Associating Every Detection Box", ECCV 2022): a face which
turns away or blurs scores less, yet is still where it is expected.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from edge_runtime.attention.overlap import Boxes, iou_matrix
from edge_runtime.types import Box, Detection, Region

MIN_IOU: Final = 0.15
"""A face keeps its number while its box overlaps the predicted one this much."""

MIN_IOU_FAINT: Final = 0.3
"""A faint detection must lie nearer, for there are more of them and many are nothing."""

SMOOTHING: Final = 0.5
"""Weight of the newest displacement in the velocity."""


@dataclass(slots=True)
class _Track:
    number: int
    box: Box
    score: float
    seen_at: float
    velocity: tuple[float, float] = (0.0, 0.0)
    hits: int = 1
    confirmed: bool = False
    """Once a face, always that face: later sights may be worse."""

    def predicted(self, now: float) -> tuple[float, float, float, float]:
        elapsed = now - self.seen_at
        return (
            self.box.x + self.velocity[0] * elapsed,
            self.box.y + self.velocity[1] * elapsed,
            self.box.w,
            self.box.h,
        )

    def follow(self, detection: Detection, now: float) -> None:
        elapsed = now - self.seen_at
        if elapsed > 0:
            old, new = self.box.centre, detection.box.centre
            vx, vy = (new[0] - old[0]) / elapsed, (new[1] - old[1]) / elapsed
            self.velocity = (
                self.velocity[0] + SMOOTHING * (vx - self.velocity[0]),
                self.velocity[1] + SMOOTHING * (vy - self.velocity[1]),
            )
        self.box, self.score, self.seen_at = detection.box, detection.score, now
        self.hits += 1


class Tracker:
    """Gives detections of one view lasting numbers.

    A face counts once it was found ``confirm_hits`` times or once with at least ``sure_score``: a
    pattern which fools the detector for a single frame is never shown. It keeps its number for
    ``patience_s`` seconds out of sight.
    """

    def __init__(
        self, *, confirm_hits: int = 2, sure_score: float = 0.8, patience_s: float = 1.0
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

    def update(
        self, detections: Sequence[Detection], now: float, *, faint: Sequence[Detection] = ()
    ) -> tuple[Region, ...]:
        """The confirmed faces of this frame, each with its number.

        ``detections`` score enough to be faces; ``faint`` ones only continue what is confirmed.
        """
        self._forget(now)
        pairs = _matches(detections, self._tracks, now, MIN_IOU)
        seen = [self._seen(detection, pairs.get(i), now) for i, detection in enumerate(detections)]
        unseen = [track for track in self._tracks if track.seen_at < now and track.confirmed]
        for index, track in _matches(faint, unseen, now, MIN_IOU_FAINT).items():
            track.follow(faint[index], now)
            seen.append(track)
        return tuple(
            Region(track.number, track.box, track.score) for track in seen if track.confirmed
        )

    def possible(self, now: float) -> tuple[Box, ...]:
        """Where faces may be that the last ``update`` did not return: out of sight, or doubtful."""
        return tuple(
            Box(*track.predicted(now))
            for track in self._tracks
            if track.seen_at < now or not track.confirmed
        )

    def _forget(self, now: float) -> None:
        self._tracks = [t for t in self._tracks if now - t.seen_at <= self._patience_s]

    def _seen(self, detection: Detection, track: _Track | None, now: float) -> _Track:
        if track is None:
            self._numbered += 1
            track = _Track(self._numbered, detection.box, detection.score, now)
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
    predicted: Boxes = np.array([track.predicted(now) for track in tracks], np.float32)
    found: Boxes = np.array([detection.box for detection in detections], np.float32)
    overlap = iou_matrix(found, predicted)
    pairs: dict[int, _Track] = {}
    for _ in range(min(overlap.shape)):
        row, column = divmod(int(overlap.argmax()), overlap.shape[1])
        if overlap[row, column] < least_iou:
            break
        pairs[row] = tracks[column]
        overlap[row, :] = 0
        overlap[:, column] = 0
    return pairs
