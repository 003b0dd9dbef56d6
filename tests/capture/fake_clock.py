"""Time that passes only when somebody waits."""

from __future__ import annotations


class FakeClock:
    """Monotonic seconds; call it to read it, hand ``wait`` to whoever wants to sleep."""

    def __init__(self, now: float = 1000.0) -> None:
        self.now = now
        self.waits: list[float] = []
        self.stopping_after: float | None = None
        """``wait`` reports that the program is stopping once this much time has passed."""
        self._began = now

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds

    def wait(self, seconds: float) -> bool:
        self.waits.append(seconds)
        self.now += seconds
        return self.stopping_after is not None and self.now - self._began >= self.stopping_after
