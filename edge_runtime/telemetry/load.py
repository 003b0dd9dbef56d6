"""How busy the machine's cores are, from /proc/stat."""

from __future__ import annotations

from typing import NamedTuple

from edge_runtime.telemetry.kernel_files import KernelFiles


class CpuTime(NamedTuple):
    """Time of all cores together since boot, in clock ticks."""

    user: int
    nice: int
    system: int
    idle: int

    @property
    def busy(self) -> int:
        return self.user + self.nice + self.system


class SystemLoad:
    """Share of busy core time between two readings."""

    def __init__(self, files: KernelFiles) -> None:
        self._files = files
        self._last = cpu_time(files)

    def busy(self) -> float | None:
        """Busy share since the last call, 0 to 1; None when unknown or no tick has passed.

        u = (user + nice + system) / (user + nice + system + idle), as the power models use it:
        waiting for a disk and interrupts count as neither.
        """
        now, before = cpu_time(self._files), self._last
        self._last = now
        if now is None or before is None:
            return None
        busy, idle = now.busy - before.busy, now.idle - before.idle
        # Idle time may step back by a tick when a core wakes.
        if busy < 0 or busy + idle <= 0:
            return None
        return min(busy / (busy + max(idle, 0)), 1.0)


def cpu_time(files: KernelFiles) -> CpuTime | None:
    """The first line of /proc/stat."""
    text = files.text("proc/stat")
    if text is None:
        return None
    words = text.partition("\n")[0].split()
    if len(words) < 5 or words[0] != "cpu" or not all(w.isdecimal() for w in words[1:5]):
        files.odd("proc/stat", text)
        return None
    return CpuTime(*(int(word) for word in words[1:5]))
