from __future__ import annotations

import sys

from edge_runtime.telemetry.command import run_command


def test_the_output_of_a_program() -> None:
    assert run_command((sys.executable, "-c", "print(' throttled=0x0 ')")) == "throttled=0x0"


def test_a_program_that_is_not_installed_answers_nothing() -> None:
    assert run_command(("no-such-program-anywhere", "x")) is None


def test_a_program_that_fails_answers_nothing() -> None:
    assert run_command((sys.executable, "-c", "print('half'); raise SystemExit(3)")) is None


def test_a_program_that_hangs_is_ended_at_the_limit() -> None:
    waiting = (sys.executable, "-c", "import time; time.sleep(30)")
    assert run_command(waiting, timeout_s=0.2) is None
