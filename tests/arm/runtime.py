"""The checks of one suite on one processor."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final
from xml.etree import ElementTree as Xml

from benchmarks.arm_board import Cpu
from tests.arm.guest import OUT, REPOSITORY, Guest
from tests.arm.outputs import hashes
from tests.proof import Check, expect

DEMO_FRAMES: Final = 30

# Rooms whose tests are for whoever builds or trains, not for the program on the board.
NOT_ON_A_BOARD: Final = (
    *("compress", "benchmarks", "bench", "deploy", "arm", "vm", "pi"),
    *("test_architecture.py", "test_docs.py", "test_proof.py"),
)

# Per room and test: what the emulator cannot do, though a board's kernel can.
NOT_EMULATED: Final[dict[str, str]] = {}


@dataclass(frozen=True)
class Board:
    """A suite on a processor."""

    guest: Guest
    cpu: Cpu
    rooms: tuple[str, ...] = ()
    """Tests to run; without any, all of the runtime's."""

    def __str__(self) -> str:
        return f"{self.guest.suite.name}, {self.cpu.name}"

    @cached_property
    def out(self) -> Path:
        return self.guest.work / "out" / f"{self.guest.suite.name}-{self.cpu.name}"

    def must(self, *command: str) -> str:
        """What the command printed; Unmet when it failed."""
        done = self.guest.run(self.cpu, *command, out=self.out)
        said = (done.stdout + done.stderr)[-1500:]
        expect(done.returncode == 0, f"{command[0]} ended with {done.returncode}: {said}")
        return done.stdout


def imports(board: Board) -> str:
    """The program imports, and finds its interpreter"""
    script = (
        "import platform; from edge_runtime.engine.litert import library_version; "
        "import edge_runtime.app.runtime, edge_runtime.web, cv2; "
        "print(platform.machine(), 'Python', platform.python_version(), library_version('auto'))"
    )
    said = board.must("python3", "-c", script).strip()
    expect(said.startswith("aarch64"), f"it ran on {said}")
    return said


def same_outputs(board: Board) -> str:
    """Every shipped model's outputs are bit-identical to x86"""
    models = REPOSITORY / "models"
    said = board.must("python3", "tests/arm/outputs.py", "models")
    return compared(hashes(models), json.loads(said.splitlines()[-1]))


def compared(here: dict[str, str], there: dict[str, str]) -> str:
    """Raises Unmet where one model's outputs differ, or one side lacks it."""
    expect(here, "no model was tried")
    apart = sorted(name for name in here.keys() | there.keys() if here.get(name) != there.get(name))
    expect(not apart, f"outputs differ: {', '.join(apart)}")
    return ", ".join(f"{name} {digest[:12]}" for name, digest in sorted(here.items()))


def runs_the_demo(board: Board) -> str:
    """The demo runs, and finds the faces that are there"""
    source = f"demo://?faces=1&frames={DEMO_FRAMES}"
    said = board.must(
        *("python3", "-m", "edge_runtime", "run", "--no-web", "--json", "--source", source),
        *("--set", "state_dir=/tmp/state"),
    )
    return demo_figure(json.loads(said))


def demo_figure(summary: dict[str, object]) -> str:
    """Raises Unmet unless every frame was processed and most faces were found."""
    check = summary["self_check"]
    frames = summary["frames"]
    expect(frames == DEMO_FRAMES, f"{frames} of {DEMO_FRAMES} frames")
    expect(isinstance(check, dict), "the run checked nothing")
    assert isinstance(check, dict)
    faces, found, false = check["faces"], check["found"], check["false"]
    expect(faces and found >= 0.8 * faces, f"{found} of {faces} faces found")
    expect(false == 0, f"{false} false faces")
    return f"{frames} frames, {found} of {faces} faces, {false} false"


def passes_the_suite(board: Board) -> str:
    """The runtime's tests pass"""
    rooms = board.rooms or tuple(runtime_tests(REPOSITORY / "tests"))
    skipped = [f"--deselect={test}" for test in NOT_EMULATED]
    done = board.guest.run(
        board.cpu,
        *("python3", "-m", "pytest", "-q", "-p", "no:cacheprovider", "-n", "2"),
        *("-m", "not browser and not prometheus and not package", f"--junitxml={OUT}/suite.xml"),
        *skipped,
        *rooms,
        out=board.out,
    )
    (board.out / "suite.log").write_text(done.stdout + done.stderr)
    expect((board.out / "suite.xml").exists(), (done.stdout + done.stderr)[-800:])
    return suite_figure((board.out / "suite.xml").read_text())


def suite_figure(junit: str) -> str:
    """Raises Unmet with the names of the tests that failed, or when there were none."""
    cases = list(Xml.fromstring(junit).iter("testcase"))
    failed = [c for c in cases if c.find("failure") is not None or c.find("error") is not None]
    skipped = sum(case.find("skipped") is not None for case in cases)
    names = ", ".join(f"{case.get('classname')}.{case.get('name')}" for case in failed)
    expect(not failed, f"{len(failed)} of {len(cases)} failed: {names[:1500]}")
    passed = len(cases) - skipped
    expect(passed, "no test ran")
    return f"{passed} passed, {skipped} skipped"


def runtime_tests(tests: Path) -> Iterator[str]:
    """Every room and file of tests that concerns a board."""
    for path in sorted(tests.iterdir()):
        has_tests = path.name.startswith("test_") or any(path.rglob("test_*.py"))
        if has_tests and path.name not in NOT_ON_A_BOARD:
            yield f"tests/{path.name}"


def checks_of(suite: str, *, quick: bool) -> tuple[Check[Board], ...]:
    """tflite-runtime rounds in its own way, so its outputs are compared with nothing."""
    exact = () if suite == "bookworm-tflite-runtime" else (same_outputs,)
    return (imports, *exact, runs_the_demo, *(() if quick else (passes_the_suite,)))
