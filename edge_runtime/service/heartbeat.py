"""What systemd is told of the frames: ready with the first, alive with each further one.

systemd restarts a service that says nothing for ``WatchdogSec=``. A timer would only say that a
thread with a timer lives; a finished frame says that pictures are looked at. Where none can come,
since a camera is away and somebody waits to try it again, that counts as well; but a camera driver
that hangs, or a loop that does, goes silent.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from typing import Final, Self

from edge_runtime.closeable import Closeable
from edge_runtime.service.notifier import Notifier
from edge_runtime.types import Clock

PART: Final = 4
"""It is told this many times in an interval: one that gets lost restarts nothing."""

UNWATCHED_S: Final = 60.0
"""Stands for the interval where no watchdog is set: how often a start is said to go on."""


class Heartbeat(Closeable):
    """For the frames' thread, but ``say`` and what begins with ``reload``, which any may call."""

    def __init__(
        self,
        notifier: Notifier | None = None,
        *,
        watchdog_s: float | None = None,
        clock: Clock = time.monotonic,
    ) -> None:
        """``watchdog_s``: after how long a silence the supervisor acts; None: it does not."""
        self._notifier = notifier or Notifier(None)
        self._interval_s = (watchdog_s or UNWATCHED_S) / PART
        self.watchdog_s = watchdog_s
        self._clock = clock
        self._due = float("-inf")
        self._ready = False

    @classmethod
    def of(cls, environ: Mapping[str, str], *, clock: Clock = time.monotonic) -> Self:
        """As systemd asks for it in the environment."""
        notifier = Notifier(environ.get("NOTIFY_SOCKET"))
        return cls(notifier, watchdog_s=_watchdog_s(environ), clock=clock)

    @property
    def supervised(self) -> bool:
        return self._notifier.supervised

    def frame_done(self) -> None:
        """A frame went all the way through."""
        if not self._ready:
            self._ready = True
            self._notifier.tell({"READY": 1})
        self._beat()

    def camera_awaited(self) -> None:
        """No frame, and rightly so: a camera is away and is going to be tried again."""
        self._beat()

    def say(self, status: str) -> None:
        """One line for ``systemctl status``."""
        self._notifier.tell({"STATUS": status})

    def reload_began(self) -> None:
        """The settings are read again."""
        microseconds = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        self._notifier.tell({"RELOADING": 1, "MONOTONIC_USEC": microseconds})

    def reload_ended(self, status: str) -> None:
        """They were, or were not: ``status`` says. A service that was not ready is not made so."""
        self._notifier.tell({"READY": 1, "STATUS": status} if self._ready else {"STATUS": status})

    def stopping(self) -> None:
        """No frame is going to follow, by intent."""
        self._notifier.tell({"STOPPING": 1, "STATUS": "stopping"})

    def close(self) -> None:
        self._notifier.close()

    def _beat(self) -> None:
        now = self._clock()
        if now < self._due:
            return
        self._due = now + self._interval_s
        if self._ready:
            self._notifier.tell({"WATCHDOG": 1})
        else:
            # Starting takes as long as the camera does, and is watched like running.
            self._notifier.tell({"EXTEND_TIMEOUT_USEC": round(PART * self._interval_s * 1e6)})


def _watchdog_s(environ: Mapping[str, str]) -> float | None:
    """WATCHDOG_USEC, if it is meant for this process and not for the one that started it."""
    if environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    microseconds = environ.get("WATCHDOG_USEC", "")
    return int(microseconds) / 1e6 if microseconds.isdecimal() and int(microseconds) else None
