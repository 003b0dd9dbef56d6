"""The runtime on arm64 Debian as a Pi 3, 4 or 5, under user-mode emulation.

    python -m tests.arm --quick                        # models, import, demo on a Pi 4: minutes
    python -m tests.arm                                # every suite on every processor: hours
    python -m tests.arm --suite trixie --cpu cortex-a76
    python -m tests.arm --rooms tests/engine tests/attention

Needs root and ``apt-get install --no-install-recommends qemu-user-static mmdebstrap``. Prints a
line for each check and ends with 1 when one failed.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.arm_board import CPUS
from tests.arm.guest import SUITES, Guest, missing_tools
from tests.arm.runtime import Board, checks_of
from tests.proof import Outcome, exit_code_of, prove, write_junit

QUICK = ("trixie", "cortex-a72")
"""What Raspberry Pi OS is now, on the board that most people have."""


def boards(given: argparse.Namespace) -> list[Board]:
    """What the command line asks for."""
    suites = given.suite or [suite.name for suite in SUITES]
    cpus = given.cpu or [cpu.name for cpu in CPUS]
    if given.quick:
        suites, cpus = given.suite or [QUICK[0]], given.cpu or [QUICK[1]]
    return [
        Board(Guest(suite, given.work.resolve()), cpu, tuple(given.rooms))
        for suite in SUITES
        for cpu in CPUS
        if suite.name in suites and cpu.name in cpus
    ]


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    made.add_argument("--suite", nargs="+", choices=[suite.name for suite in SUITES])
    made.add_argument("--cpu", nargs="+", choices=[cpu.name for cpu in CPUS])
    made.add_argument("--quick", action="store_true", help="without the test suite")
    made.add_argument("--rooms", nargs="+", default=[], help="these tests instead of all")
    made.add_argument("--work", type=Path, default=Path("build/arm"))
    made.add_argument("--junit", type=Path)
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    given = parser().parse_args(arguments)
    if absent := missing_tools():
        print(f"tests.arm needs {', '.join(absent)}: see the top of tests/arm/__main__.py")
        return 1
    outcomes: list[Outcome] = []
    for board in boards(given):
        print(f"=== {board}", flush=True)
        board.guest.make()
        checks = checks_of(board.guest.suite.name, quick=given.quick)
        found = prove(checks, board, say=lambda line: print(line, flush=True))
        outcomes += [o.about(str(board)) for o in found]
        if given.junit:  # after each board: hours of results survive an end before the last
            write_junit(given.junit, "arm", outcomes)
    print(f"{sum(o.passed for o in outcomes)} of {len(outcomes)} passed")
    return exit_code_of(outcomes)


if __name__ == "__main__":
    sys.exit(main())
