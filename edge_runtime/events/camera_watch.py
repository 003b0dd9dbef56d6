"""One camera: its faces, and whether it delivers at all."""

from __future__ import annotations

import threading
from typing import Final, Literal

from edge_runtime.events.face_watch import FaceWatch
from edge_runtime.events.log import EventLog
from edge_runtime.events.pace import Pace
from edge_runtime.types import Camera, Clock, Snapshot

STEADY_S: Final = 2.0
"""A lost camera is back when it has delivered for so long: a loose plug is one event, not many."""


class CameraWatch:
    """``look`` is for the frames' thread, ``stands`` for the camera's own."""

    def __init__(
        self, name: str, log: EventLog, pace: Pace, *, clock: Clock, prefix: str = ""
    ) -> None:
        self._name, self._log, self._clock, self._prefix = name, log, clock, prefix
        self.faces = FaceWatch(name, log, pace, prefix=prefix)
        self._changing = threading.Lock()
        self._lost_at: float | None = None
        self._ended = False
        self._streams_since: float | None = None
        """None unless it is lost as far as was told, and delivers again."""

    def look(self, snapshot: Snapshot) -> None:
        """After a frame, and while none comes."""
        now = self._clock()
        self.faces.look(snapshot.faces, now)
        if self._streams_since is not None:
            self._say_back(now)

    def stands(self, camera: Camera) -> None:
        """How the camera stands now; most often as before."""
        with self._changing:
            if camera.state == "lost":
                self._streams_since = None
                if self._lost_at is None:
                    self._lost_at = self._clock()
                    self._tell("camera_lost", f"lost: {camera.problem}", camera)
            elif camera.state == "streaming" and self._lost_at is not None:
                if self._streams_since is None:
                    self._streams_since = self._clock()
            elif camera.state == "ended" and not self._ended:
                self._ended = True
                ended = f"has ended: {camera.problem}" if camera.problem else "has ended"
                self._tell("camera_ended", ended, camera)

    def _say_back(self, now: float) -> None:
        with self._changing:
            since, lost_at = self._streams_since, self._lost_at
            if since is None or lost_at is None or now - since < STEADY_S:
                return  # lost again meanwhile, or too early to tell
            self._streams_since = self._lost_at = None
            seconds = round(since - lost_at, 1)
            self._log.tell(
                "camera_back",
                self._sentence(f"back after {seconds:.0f} s"),
                camera=self._name,
                seconds=seconds,
            )

    def _tell(self, kind: Literal["camera_lost", "camera_ended"], words: str, of: Camera) -> None:
        self._log.tell(kind, self._sentence(words), camera=self._name, problem=of.problem)

    def _sentence(self, words: str) -> str:
        return f"{self._prefix}camera {words}" if self._prefix else f"Camera {words}"
