"""What the guest and the plugin say becomes counts, and a table."""

from __future__ import annotations

from pathlib import Path

from benchmarks.arm_instructions import CPUS, counts, make_pi, table

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
    make_pi(tmp_path, CPUS[1])
    assert (tmp_path / "cpuinfo").read_text().count("CPU part\t: 0xd0b") == 4
    assert (tmp_path / "sys/devices/system/cpu/online").read_text() == "0-3\n"
    assert "asimddp" in (tmp_path / "cpuinfo").read_text()
