"""Which core to measure on."""

from __future__ import annotations

import os
import time
from pathlib import Path

LOOK_S = 1.0
"""How long the cores are watched before the freest is taken."""


def freest_core(look_s: float = LOOK_S) -> int:
    """Of the cores we may use, the one with the most idle time while we look on."""
    before = idle_ticks()
    time.sleep(look_s)
    after = idle_ticks()
    return max(os.sched_getaffinity(0), key=lambda core: after[core] - before[core])


def idle_ticks() -> dict[int, int]:
    """By core, from /proc/stat: `cpu0 user nice system idle iowait …`."""
    lines = (line.split() for line in Path("/proc/stat").read_text().splitlines())
    return {
        int(each[0][3:]): int(each[4])
        for each in lines
        if each[0][3:].isdigit() and each[0].startswith("cpu")
    }
