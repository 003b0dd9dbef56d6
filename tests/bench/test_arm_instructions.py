"""What the guest and the plugin say becomes counts, and a table."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import arm_instructions
from benchmarks.arm_board import CPUS, make_pi
from benchmarks.arm_instructions import COUNTED, MODELS, Bench, counts, main, table
from benchmarks.arm_regression import KEPT as KEPT_FILE
from benchmarks.arm_regression import compared, medians, read_kept, write_kept

SAID = """INFO: Created TensorFlow Lite XNNPACK delegate for CPU.
work -
executed 100
executed 900
work face-glance, bare invoke
executed 1000
executed 3001000
work face-glance, bare invoke
executed 3002000
executed 6002000
work whole frame, one face
executed 7000000
executed 11000000
work whole frame, one face
executed 12000000
executed 16400000
"""


def test_runs_are_told_apart_and_the_warm_up_is_left_out() -> None:
    assert counts(SAID) == {
        "face-glance, bare invoke": [3_000_000, 3_000_000],
        "whole frame, one face": [4_000_000, 4_400_000],
    }


def test_the_table_says_how_far_runs_lie_apart() -> None:
    rows = table({"cortex-a72": counts(SAID), "cortex-a76": counts(SAID)}).splitlines()
    assert rows[2] == "| face-glance, bare invoke | 3.000 M | 3.000 M |"
    assert rows[3].endswith("| 4.200 M (within 9.5%) | 4.200 M (within 9.5%) |")


def test_a_pi_shows_its_four_cores(tmp_path: Path) -> None:
    make_pi(tmp_path, CPUS[2])
    assert (tmp_path / "cpuinfo").read_text().count("CPU part\t: 0xd0b") == 4
    assert (tmp_path / "sys/devices/system/cpu/online").read_text() == "0-3\n"
    assert "asimddp" in (tmp_path / "cpuinfo").read_text()


KEPT = {"cortex-a72": {"whole frame": 10_000_000.0, "smile": 1_000_000.0}}


@pytest.mark.parametrize(
    ("frame", "smile", "failing"),
    [
        (10_000_000, 1_000_000, []),
        (10_299_999, 1_000_000, []),
        (10_300_001, 900_000, ["whole frame"]),
        (5_000_000, 1_030_001, ["smile"]),
    ],
)
def test_a_stage_that_grew_by_more_than_3_percent_fails(
    frame: int, smile: int, failing: list[str]
) -> None:
    now = medians({"cortex-a72": {"whole frame": [frame], "smile": [smile, smile, 7]}})
    assert [verdict.stage for verdict in compared(KEPT, now) if verdict.failed] == failing


def test_what_was_not_counted_or_not_kept_does_not_pass() -> None:
    now = {"cortex-a72": {"whole frame": 1.0}, "cortex-a76": {"whole frame": 1.0}}
    said = [str(verdict) for verdict in compared(KEPT, now) if verdict.failed]
    assert said == [
        "FAIL cortex-a72, smile: kept, and not counted now",
        "FAIL cortex-a76, whole frame: no kept figure; --keep writes one",
    ]


def test_figures_are_kept_as_they_were(tmp_path: Path) -> None:
    write_kept(tmp_path / "kept.json", KEPT)
    assert read_kept(tmp_path / "kept.json") == KEPT
    assert read_kept(tmp_path / "absent.json") == {}


def test_the_kept_figures_are_of_every_shipped_model() -> None:
    stages = {f"{path.parent.name}, bare invoke" for path in MODELS} | {"whole frame, one face"}
    assert {cpu: set(found) for cpu, found in read_kept(KEPT_FILE).items()} == {
        cpu.name: stages for cpu in COUNTED
    }


@pytest.mark.parametrize(("count", "code"), [(1_030_000, 0), (1_031_000, 1)])
def test_the_check_ends_with_its_verdict(
    count: int, code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = tmp_path / "kept.json"
    write_kept(kept, {cpu.name: {"smile": 1_000_000.0} for cpu in COUNTED})
    monkeypatch.setattr(arm_instructions, "KEPT", kept)
    monkeypatch.setattr(Bench, "make", lambda bench: None)
    monkeypatch.setattr(Bench, "count", lambda bench, cpu, models: {"smile": [count]})
    assert main(["--check"]) == code
