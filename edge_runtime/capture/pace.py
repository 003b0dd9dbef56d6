"""The rhythm of a source that has none of its own: a file played as if it were live, the demo."""

from __future__ import annotations

from edge_runtime.capture.source import Wait
from edge_runtime.types import Clock

# Further behind than this (the machine slept, a debugger held us), the rhythm starts anew instead
# of racing to catch up.
_FORGIVEN_S = 1.0


class Pace:
    """Lets one frame through every ``1 / fps`` seconds, without drifting."""

    def __init__(self, fps: float, *, clock: Clock, wait: Wait) -> None:
        self._period_s = 1.0 / fps
        self._clock = clock
        self._wait = wait
        self._due: float | None = None

    def hold(self) -> bool:
        """Wait until the next frame is due. True: the program is stopping, so there is none."""
        now = self._clock()
        if self._due is None or now > self._due + _FORGIVEN_S:
            self._due = now
        early = self._due - now
        self._due += self._period_s
        return early > 0 and bool(self._wait(early))
