"""Who came, stayed and left before one camera, and how they looked: visits, not sights.

A face that flickers, or that the tracker loses and numbers anew where it was, is one visit.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from edge_runtime.event import EventKind, Value
from edge_runtime.events.log import EventLog
from edge_runtime.events.pace import Pace
from edge_runtime.events.steady_label import SteadyLabel
from edge_runtime.events.who import News, Who
from edge_runtime.identity import Identity
from edge_runtime.types import Box, Face

NEAR: Final = 1.0
"""Of its own size: a face that appears no farther from where one was lost is that one."""

ALIKE: Final = 2.0
"""And neither is so many times as large as the other."""


class _Visit:
    """One face from its first sight on."""

    __slots__ = ("box", "came", "first_at", "labels", "now_track", "score", "seen_at", "stayed",
                 "track", "who")  # fmt: skip

    def __init__(self, face: Face, now: float) -> None:
        self.track = self.now_track = face.track
        self.first_at = self.seen_at = now
        self.box, self.score = face.box, face.score
        self.came = self.stayed = False
        self.labels: dict[str, SteadyLabel] = {}
        self.who: Who | None = None

    def see(self, face: Face, now: float) -> None:
        self.box, self.seen_at = face.box, now
        self.score = max(self.score, face.score)

    def distance(self, box: Box) -> float:
        """From where it was last to ``box``, in its own sizes; infinite when it cannot be it."""
        size, other = max(self.box.w, self.box.h), max(box.w, box.h)
        if not size / ALIKE <= other <= size * ALIKE:
            return math.inf
        (x, y), (u, v) = self.box.centre, box.centre
        return math.hypot(x - u, y - v) / max(size, 1e-6)


class FaceWatch:
    """Makes events of the faces of one camera. ``look`` allocates nothing when nothing changes."""

    def __init__(self, camera: str, log: EventLog, pace: Pace, *, prefix: str = "") -> None:
        """``prefix``: what sentences begin with where there are several cameras."""
        self._camera, self._log, self._pace, self._prefix = camera, log, pace, prefix
        self._visits: dict[int, _Visit] = {}  # by the number the face has now

    def look(self, faces: Sequence[Face], now: float) -> None:
        """After every frame, and now and then while none comes."""
        visits = self._visits
        if not faces and not visits:
            return
        for face in faces:
            visit = visits.get(face.track)
            if visit is None:
                visit = self._begun(face, faces, now)
            visit.see(face, now)
            self._seen(visit, face, now)
        for visit in visits.values():
            if now - visit.seen_at >= self._pace.left_after_s:
                self._drop_the_gone(now)
                return

    def seen_at(self, track: int) -> float | None:
        """When the face that came with this number was seen last; None: it has left.

        For any thread.
        """
        visits = tuple(self._visits.values())  # one step, so the frames' thread may go on
        return next((each.seen_at for each in visits if each.track == track), None)

    def _seen(self, visit: _Visit, face: Face, now: float) -> None:
        here_s = now - visit.first_at
        if not visit.came and here_s >= self._pace.came_after_s:
            self._come(visit)
        if visit.came and not visit.stayed and here_s >= self._pace.stayed_after_s:
            visit.stayed = True
            self._tell(
                "face_stayed", visit, f"a face has been there for {here_s:.0f} s",
                seconds=round(here_s, 1),
            )  # fmt: skip
        if face.identity is not None and visit.came:
            self._recognize(visit, face.identity, now)
        for model, scores in face.labels.items():
            steady = visit.labels.get(model)
            if steady is None:
                steady = visit.labels[model] = SteadyLabel()
            before = steady.label
            # A face that has not come yet cannot turn; it does as soon as it has come.
            hold_s = self._pace.label_hold_s if visit.came else math.inf
            if steady.turns(scores, now, hold_s):
                self._turn(visit, model, steady, before)

    def _begun(self, face: Face, faces: Sequence[Face], now: float) -> _Visit:
        """A new visit, or the one that was interrupted here."""
        seen = {each.track for each in faces}
        absent = [each for each in self._visits.values() if each.now_track not in seen]
        visit = min(absent, key=lambda each: each.distance(face.box), default=None)
        if visit is None or visit.distance(face.box) > NEAR:
            visit = _Visit(face, now)
        else:
            del self._visits[visit.now_track]
            visit.now_track = face.track
        self._visits[face.track] = visit
        return visit

    def _drop_the_gone(self, now: float) -> None:
        limit = now - self._pace.left_after_s
        gone = [visit for visit in self._visits.values() if visit.seen_at <= limit]
        for visit in gone:
            del self._visits[visit.now_track]
            if visit.who is not None and visit.who.said:
                self._tell_news(visit, visit.who.left())
            if visit.came:
                seconds = round(visit.seen_at - visit.first_at, 1)
                self._tell(
                    "face_left", visit, f"a face left after {seconds:.0f} s",
                    seconds=seconds, faces=self._present(),
                )  # fmt: skip

    def _come(self, visit: _Visit) -> None:
        visit.came = True
        self._tell(
            "face_came", visit, "a face came",
            score=round(visit.score, 3), box=tuple(map(round, visit.box)), faces=self._present(),
        )  # fmt: skip

    def _turn(self, visit: _Visit, model: str, steady: SteadyLabel, before: str | None) -> None:
        score = steady.score
        sure = "" if score is None else f" (score {score:.2f})"
        turned = (
            f"is labelled {steady.label}"
            if before is None
            else f"turned from {before} to {steady.label}"
        )
        self._tell(
            "label_changed", visit, f"a face {turned}{sure}",
            model=model, label=steady.label, before=before,
            score=None if score is None else round(score, 3),
        )  # fmt: skip

    def _recognize(self, visit: _Visit, identity: Identity, now: float) -> None:
        if visit.who is None:
            visit.who = Who()
        for news in visit.who.follow(identity, now, self._pace.unknown_after_s):
            self._tell_news(visit, news)

    def _tell_news(self, visit: _Visit, news: News) -> None:
        self._tell(news.kind, visit, news.sentence, **news.fields)

    def _present(self) -> int:
        return sum(visit.came for visit in self._visits.values())

    def _tell(self, kind: EventKind, visit: _Visit, sentence: str, **fields: Value) -> None:
        sentence = (
            f"{self._prefix}{sentence}" if self._prefix else sentence[0].upper() + sentence[1:]
        )
        self._log.tell(kind, sentence, camera=self._camera, track=visit.track, **fields)
