"""A machine whose every answer a test may choose."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from edge_runtime.doctor.library import Library
from edge_runtime.doctor.machine import Disk, Machine, Python, User
from edge_runtime.doctor.plan import Plan
from edge_runtime.telemetry.kernel_files import KernelFiles
from tests.telemetry.recorded import RecordedMachine

GIB = 1 << 30
WELL = {
    "ai_edge_litert": Library("2.3.0", Path("/venv/ai_edge_litert"), None),
    "cv2": Library("4.12.0", Path("/venv/cv2"), None),
    "numpy": Library("2.3.1", Path("/venv/numpy"), None),
}
ROOMY = Disk(32 * GIB, 20 * GIB)
NOVEMBER_2026 = 1_795_000_000.0


@dataclass(frozen=True)
class Node:
    """Stands in for ``capture.devices.CameraDevice``."""

    path: str = "/dev/video0"
    name: str = "C920"
    is_capture: bool | None = True
    held_by: tuple[str, ...] = ()
    readable: bool = True


@dataclass
class Bench:
    """Builds machines out of a recorded board and a few changes."""

    board: RecordedMachine
    libraries: Mapping[str, Library] = field(default_factory=lambda: dict(WELL))
    nodes: Sequence[Node] = ()
    bound: OSError | None = None

    def machine(
        self,
        *,
        python: Python | None = None,
        user: User | None = None,
        disk: Disk | OSError = ROOMY,
        writable: bool = True,
        now: float = NOVEMBER_2026,
    ) -> Machine:
        def disk_at(path: Path) -> Disk:
            if isinstance(disk, OSError):
                raise disk
            return disk

        def bind(host: str, port: int) -> None:
            if self.bound is not None:
                raise self.bound

        known = frozenset({"video", "render", "i2c", "gpio", "pi"})
        return Machine(
            files=KernelFiles(self.board.root),
            run=self.board.run,
            python=python or python_of(),
            user=user or User("pi", False, known, known),
            library=lambda name, loads=None: self.libraries.get(name),
            cameras=lambda: self.nodes,
            wall_clock=lambda: now,
            disk=disk_at,
            writable=lambda path: writable,
            bind=bind,
        )


def python_of(
    version: tuple[int, int, int] = (3, 13, 5),
    bits: int = 64,
    architecture: str = "aarch64",
    prefix: str = "/usr",
) -> Python:
    return Python(version, bits, architecture, Path(prefix), Path("/usr"))


def say_what_it_is(name: str) -> str:
    return f"{name}: face-detector 0.1.0"


def plan_of(
    source: str = "auto", load: Callable[[str], str] = say_what_it_is, **more: object
) -> Plan:
    settings: dict[str, object] = {
        "config_file": None,
        "source_uris": (source,),
        "state_dir": Path("/"),
        "web_address": ("127.0.0.1", 8000),
        "models": ("face-glance",),
        "load_model": load,
    }
    return Plan(**(settings | more))  # type: ignore[arg-type]


@pytest.fixture
def bench(tmp_path: Path) -> Callable[[str], Bench]:
    """A bench with a recorded board on it."""
    return lambda board: Bench(RecordedMachine(tmp_path, board))
