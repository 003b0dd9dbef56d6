from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge_runtime.telemetry.health import HealthReader
from edge_runtime.telemetry.kernel_files import KernelFiles
from tests.telemetry.conftest import StandingClock
from tests.telemetry.recorded import BOARDS, RecordedMachine

Machine = Callable[[str], RecordedMachine]


def test_device_tree_strings_lose_their_nul(machine: Machine) -> None:
    files = KernelFiles(machine("pi4b").root)
    assert files.text("proc/device-tree/model") == "Raspberry Pi 4 Model B Rev 1.2"


def test_folders_come_in_natural_order(machine: Machine) -> None:
    files = KernelFiles(machine("x86-laptop").root)
    assert [path.rpartition("/")[2] for path in files.folders("sys/class/thermal")] == [
        "thermal_zone0",
        "thermal_zone9",
        "thermal_zone10",
    ]


def test_cells_are_four_bytes_most_significant_first(machine: Machine) -> None:
    board = machine("pi5")
    files = KernelFiles(board.root)
    assert files.big_endian("proc/device-tree/chosen/power/max_current") == 3000
    board.write("cell", "12345")
    assert files.big_endian("cell") is None
    assert files.big_endian("nowhere") is None


def test_tables_keep_the_lines_they_understand(machine: Machine) -> None:
    board = machine("pi5")
    board.write("table", "MemTotal:  12 kB\nno colon\nName: word\nEmpty:\nHuge: 9 kB\n")
    assert KernelFiles(board.root).table("table") == {"MemTotal": 12, "Huge": 9}


def test_odd_contents_are_said_once_per_file(
    machine: Machine, caplog: pytest.LogCaptureFixture
) -> None:
    board = machine("pi5")
    board.write("a", "x")
    board.write("b", "y")
    files = KernelFiles(board.root)
    with caplog.at_level(logging.WARNING):
        for path in ("a", "b", "a", "b"):
            assert files.integer(path) is None
    assert len(caplog.messages) == 2


def test_a_folder_where_a_file_is_expected_is_unknown(machine: Machine) -> None:
    files = KernelFiles(machine("pi5").root)
    assert files.text("sys") is None
    assert files.folders("proc/stat") == []


@pytest.mark.parametrize("name", BOARDS)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(junk=st.binary(max_size=80), pick=st.randoms(use_true_random=False))
def test_no_contents_of_any_file_break_a_reading(
    tmp_path_factory: pytest.TempPathFactory, name: str, junk: bytes, pick: object
) -> None:
    board = RecordedMachine(tmp_path_factory.mktemp("board"), name)
    files = sorted(path for path in board.root.rglob("*") if path.is_file())
    chosen: Path = pick.choice(files)  # type: ignore[attr-defined]
    clock = StandingClock()
    reader = HealthReader(board.root, clock=clock, run_command=board.run)
    reader.read(10, 10)
    chosen.write_bytes(junk)
    clock.pass_by(1)
    reader.read(10, 10)
    HealthReader(board.root, clock=clock, run_command=board.run).read()
