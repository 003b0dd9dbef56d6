"""The program's own processor time, memory and age."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

from edge_runtime.telemetry.kernel_files import KernelFiles
from edge_runtime.types import Clock

_MIB = 1024 * 1024


class ProcessReader:
    """Reads /proc/self.

    Processor time includes the children, living or waited for (a model's trial run, ``vcgencmd``);
    memory is this process alone.
    """

    def __init__(
        self,
        files: KernelFiles,
        *,
        clock: Clock = time.monotonic,
        ticks_per_s: int | None = None,
        page_bytes: int | None = None,
    ) -> None:
        self._files = files
        self._clock = clock
        self._ticks_per_s = ticks_per_s or os.sysconf("SC_CLK_TCK")
        self._page_bytes = page_bytes or os.sysconf("SC_PAGE_SIZE")
        self._started = clock()
        self._last = (self._started, self._ticks())

    def uptime_s(self) -> float:
        """Seconds since this reader was made, which is when the program starts."""
        return self._clock() - self._started

    def cpu_percent(self) -> float | None:
        """Since the last call; 100 is one core kept busy. None when unknown."""
        now, ticks = self._clock(), self._ticks()
        (before, ticks_before), self._last = self._last, (now, ticks)
        if ticks is None or ticks_before is None or now <= before:
            return None
        return max(0.0, 100 * (ticks - ticks_before) / self._ticks_per_s / (now - before))

    def memory_mb(self) -> float | None:
        """Resident memory, MiB."""
        text = self._files.text("proc/self/statm")
        if text is None:
            return None
        words = text.split()
        if len(words) < 2 or not words[1].isdecimal():
            self._files.odd("proc/self/statm", text)
            return None
        return int(words[1]) * self._page_bytes / _MIB

    def peak_memory_mb(self) -> float | None:
        """The highest resident memory so far, MiB."""
        kib = self._files.table("proc/self/status").get("VmHWM")
        return None if kib is None else kib / 1024

    def _ticks(self) -> int | None:
        own = self._ticks_of("self")
        if own is None:
            return None
        return own + sum(self._ticks_of(child) or 0 for child in self._children())

    def _ticks_of(self, process: str) -> int | None:
        """User and system time of a process and its waited-for children, in ticks."""
        path = f"proc/{process}/stat"
        text = self._files.text(path)
        if text is None:
            return None
        # The second field is the program's name in brackets, which may hold blanks and brackets.
        words = text.rpartition(")")[2].split()
        if len(words) < 15 or not all(word.isdecimal() for word in words[11:15]):
            self._files.odd(path, text)
            return None
        return sum(int(word) for word in words[11:15])

    def _children(self) -> Iterator[str]:
        for task in self._files.folders("proc/self/task"):
            yield from (self._files.text(f"{task}/children") or "").split()


def process_age_s(root: Path = Path("/")) -> float | None:
    """Seconds since the kernel started this process, the interpreter's own start included.

    Ticks are 10 ms, and so is the error. None when /proc does not say.
    """
    files = KernelFiles(root)
    stat = (files.text("proc/self/stat") or "").rpartition(")")[2].split()
    uptime = (files.text("proc/uptime") or "").split()
    if len(stat) < 20 or not uptime:
        return None
    return float(uptime[0]) - int(stat[19]) / os.sysconf("SC_CLK_TCK")
