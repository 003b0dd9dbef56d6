"""Turns what the program publishes into events; each part is called by the thread that knows."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Final

from edge_runtime.event import Event, EventKind
from edge_runtime.events.camera_watch import CameraWatch
from edge_runtime.events.log import EventLog
from edge_runtime.events.machine_watch import MachineWatch
from edge_runtime.events.pace import Pace
from edge_runtime.types import Clock, ModelEvent, ModelFate

_FATES: Final[Mapping[ModelFate, EventKind]] = {
    "admitted": "model_admitted",
    "activated": "model_activated",
    "canary": "model_canary",
    "rolled back": "model_rolled_back",
    "refused": "model_refused",
    "removed": "model_removed",
}


class Watcher:
    """A watch for each camera, one for the machine, one for models."""

    def __init__(
        self,
        cameras: Sequence[str],
        log: EventLog,
        pace: Pace | None = None,
        *,
        clock: Clock = time.monotonic,
    ) -> None:
        """``cameras``: their names, in the order of the settings."""
        pace = pace or Pace()
        self.log = log
        self.machine = MachineWatch(log, clock=clock)
        self.cameras: Mapping[str, CameraWatch] = {
            name: CameraWatch(
                name, log, pace, clock=clock, prefix=f"{name}: " if len(cameras) > 1 else ""
            )
            for name in cameras
        }

    def model(self, event: ModelEvent) -> None:
        """What became of a model."""
        self.log.tell(_FATES[event.what], event.sentence, model=event.model)

    def still_there(self, event: Event, since: float) -> bool:
        """Whether the face of an event was seen at ``since`` or later; what is no face is there.

        A face that is out of sight has not left before it was so for a while, so that no event
        tells it yet. For any thread.
        """
        watch = self.cameras.get(event.camera or "")
        if watch is None or event.track is None:
            return True
        seen_at = watch.faces.seen_at(event.track)
        return seen_at is not None and seen_at >= since
