"""The harness of the emulated checks: what fails is seen to fail."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.proof import Outcome, Unmet, exit_code_of, expect, prove, read_junit, write_junit
from tests.proof_page import page


def warm(degrees: int) -> str:
    """It is warm."""
    expect(degrees > 20, f"{degrees} degrees, expected more than 20")
    return f"{degrees} degrees"


def silent(degrees: int) -> str:
    """It answers."""
    raise ConnectionResetError(104, "Connection reset by peer")


def test_a_check_says_its_figure_or_what_it_found_instead() -> None:
    said: list[str] = []
    times = iter([0.0, 1.5, 2.0, 2.25])
    prove([warm], 30, say=said.append, clock=lambda: next(times))
    prove([warm], 5, say=said.append, clock=lambda: next(times))
    assert said == [
        "ok      1.5 s  It is warm: 30 degrees",
        "FAIL    0.2 s  It is warm: 5 degrees, expected more than 20",
    ]


def test_later_checks_run_after_a_failed_one() -> None:
    outcomes = prove([silent, warm], 30, say=len)
    assert [outcome.passed for outcome in outcomes] == [False, True]
    assert "Connection reset" in outcomes[0].said


def test_results_are_kept_after_every_check() -> None:
    kept: list[int] = []
    prove([warm, silent], 30, say=len, keep=lambda outcomes: kept.append(len(outcomes)))
    assert kept == [1, 2]


def test_a_defect_of_a_check_is_no_verdict() -> None:
    with pytest.raises(TypeError):
        prove([warm], "hot", say=len)  # type: ignore[list-item]


def test_one_failure_or_nothing_checked_fails_the_run() -> None:
    good, bad = Outcome("a", True, "1", 1.0), Outcome("b", False, "2", 1.0)
    assert exit_code_of([good]) == 0
    assert exit_code_of([good, bad]) == 1
    assert exit_code_of([]) == 1


def test_junit_brings_back_what_was_written(tmp_path: Path) -> None:
    outcomes = (Outcome("fast <1 s", True, "0.4 s", 0.4), Outcome("b", False, 'said "no"', 2.0))
    write_junit(tmp_path / "deep" / "vm.xml", "vm", outcomes)
    assert read_junit(tmp_path / "deep" / "vm.xml") == outcomes
    assert 'tests="2" failures="1"' in (tmp_path / "deep" / "vm.xml").read_text()


def test_expecting_what_is_not_so_raises() -> None:
    with pytest.raises(Unmet, match="nobody there"):
        expect([], "nobody there")


def test_the_page_has_a_row_for_each_check_also_for_what_did_not_run() -> None:
    vm = [Outcome("It boots", True, "9 s | warm", 9.0), Outcome("It stops", False, "hangs", 1.0)]
    text = page(
        date="2026-11-25",
        commit="abc",
        arm=(),
        vm=vm,
        instructions=["ok   a72, smile: +0.00%"],
        vm_titles=["It boots", "It stops", "It is purged"],
        note="On a busy machine.",
    )
    assert "| It boots | passed | 9 s \\| warm |" in text
    assert "| It stops | **failed** | hangs |" in text
    assert "| It is purged | not run | |" in text
    assert "Not run this time." in text.partition("## Full emulation")[0]
    assert "ok   a72, smile: +0.00%" in text
    assert "2026-11-25 from commit abc" in text
    assert "\nOn a busy machine.\n" in text


def test_what_no_emulator_shows_is_on_the_page(repository: Path) -> None:
    text = (repository / "docs" / "proven-on-arm.md").read_text()
    for thing in ("firmware", "Pi 5", "CSI", "Wi-Fi", "watts", "tests/pi/run"):
        assert thing in text.partition("## Not proven")[2]
