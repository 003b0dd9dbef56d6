"""What the figures were measured on: a figure without its machine says nothing."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from edge_runtime.telemetry.board import read_board
from edge_runtime.telemetry.kernel_files import KernelFiles


@dataclass(frozen=True, slots=True)
class Machine:
    """Named in every report."""

    board: str
    processor: str
    cores: int
    system: str
    python: str

    def __str__(self) -> str:
        return f"{self.board} ({self.processor}, {self.cores} cores), {self.system}, {self.python}"


def this_machine(root: Path = Path("/")) -> Machine:
    """The machine we run on, as far as it says."""
    return Machine(
        board=str(read_board(KernelFiles(root))),
        processor=_processor(root) or platform.machine(),
        cores=len(os.sched_getaffinity(0)),
        system=f"{platform.system()} {platform.machine()}",
        python=f"Python {platform.python_version()}",
    )


def _processor(root: Path) -> str | None:
    try:
        lines = (root / "proc/cpuinfo").read_text().splitlines()
    except OSError:
        return None
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, None)


@contextmanager
def one_core() -> Iterator[int]:
    """Keep the process on one core: a figure per core can be compared between machines."""
    before = os.sched_getaffinity(0)
    core = max(before)
    os.sched_setaffinity(0, {core})
    try:
        yield core
    finally:
        os.sched_setaffinity(0, before)
