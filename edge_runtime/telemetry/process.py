"""The program's own processor time, memory and age."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

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
        now = clock()
        self._born = now - (process_age_s(files, self._ticks_per_s) or 0.0)
        self._last = (now, self._ticks())

    def uptime_s(self) -> float:
        """Seconds since the process started; without /proc, since this reader was made."""
        return self._clock() - self._born

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
        times = _stat_numbers(self._files, process, 11, 15)
        return None if times is None else sum(times)

    def _children(self) -> Iterator[str]:
        for task in self._files.folders("proc/self/task"):
            yield from (self._files.text(f"{task}/children") or "").split()


def process_age_s(files: KernelFiles | None = None, ticks_per_s: int | None = None) -> float | None:
    """Seconds since this process was started by its parent, imports included; None without /proc.

    Good to 1/100 s, the kernel's tick.
    """
    files = files or KernelFiles()
    started = _stat_numbers(files, "self", 19, 20)
    uptime = (files.text("proc/uptime") or "").split()
    if started is None or not uptime or not uptime[0].replace(".", "", 1).isdecimal():
        return None
    return float(uptime[0]) - started[0] / (ticks_per_s or os.sysconf("SC_CLK_TCK"))


def _stat_numbers(files: KernelFiles, process: str, first: int, end: int) -> list[int] | None:
    """Fields of a process's stat line, counted from 0 after its name (proc(5) counts from 3)."""
    path = f"proc/{process}/stat"
    text = files.text(path)
    if text is None:
        return None
    # The name is in brackets and may itself hold blanks and brackets.
    words = text.rpartition(")")[2].split()[first:end]
    if len(words) < end - first or not all(word.isdecimal() for word in words):
        files.odd(path, text)
        return None
    return [int(word) for word in words]
