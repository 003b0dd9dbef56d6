"""A log and a clock that stand still until told, and faces to look at."""

from __future__ import annotations

from collections.abc import Mapping

from edge_runtime.event import Event, EventKind, Value
from edge_runtime.events.log import EventLog
from edge_runtime.identity import Identity
from edge_runtime.types import Box, Face


class Moment:
    """Both clocks; the one on the wall is a million seconds ahead."""

    def __init__(self, now: float = 100.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def wall(self) -> float:
        return self.now + 1_000_000


class Told:
    """A log, and what was told to it."""

    def __init__(self) -> None:
        self.clock = Moment()
        self.log = EventLog(clock=self.clock, wall=self.clock.wall)

    @property
    def events(self) -> tuple[Event, ...]:
        return self.log.after(0)

    @property
    def kinds(self) -> list[str]:
        return [event.kind for event in self.events]


def face(
    track: int = 1,
    x: float = 100,
    *,
    size: float = 80,
    labels: Mapping[str, Mapping[str, float]] | None = None,
    score: float = 0.9,
    identity: Identity | None = None,
) -> Face:
    return Face(track, Box(x, 100, size, size), score, labels or {}, identity)


def event(
    kind: EventKind = "face_came",
    moment: float = 100.0,
    *,
    number: int = 1,
    camera: str | None = "front",
    track: int | None = 1,
    **fields: Value,
) -> Event:
    return Event(number, 1.8e9, moment, kind, f"{kind} happened", camera, track, fields)
