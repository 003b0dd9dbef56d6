from __future__ import annotations

import logging
from collections.abc import Callable

import pytest

from edge_runtime.telemetry import board as boards
from edge_runtime.telemetry.kernel_files import KernelFiles
from edge_runtime.telemetry.load import SystemLoad
from tests.telemetry.recorded import BOARDS, RecordedMachine

Machine = Callable[[str], RecordedMachine]


@pytest.mark.parametrize(
    ("name", "called", "revision"),
    [
        ("pi3b-plus", "Raspberry Pi 3 Model B Plus Rev 1.3", "1.3"),
        ("pi4b", "Raspberry Pi 4 Model B Rev 1.2", "1.2"),
        ("pi5", "Raspberry Pi 5 Model B Rev 1.0", "1.0"),
        ("zero2w", "Raspberry Pi Zero 2 W Rev 1.0", "1.0"),
        ("x86-laptop", "LENOVO 20XW00A7GE", None),
    ],
)
def test_boards_say_who_they_are(
    machine: Machine, name: str, called: str, revision: str | None
) -> None:
    board = boards.read_board(KernelFiles(machine(name).root))
    assert str(board) == called
    assert board.revision == revision


def test_a_vendor_in_the_product_name_is_not_said_twice(machine: Machine) -> None:
    laptop = machine("x86-laptop")
    laptop.write("sys/class/dmi/id/product_name", "LENOVO ThinkPad\n")
    assert str(boards.read_board(KernelFiles(laptop.root))) == "LENOVO ThinkPad"


@pytest.mark.parametrize(
    ("name", "degrees"),
    [("pi3b-plus", 62.838), ("pi4b", 52.095), ("pi5", 48.85), ("x86-laptop", 58.0)],
)
def test_the_processors_own_sensor_is_read(machine: Machine, name: str, degrees: float) -> None:
    assert boards.temperature_c(KernelFiles(machine(name).root)) == pytest.approx(degrees)


@pytest.mark.parametrize("name", ["pi4b", "x86-laptop"])
def test_hwmon_stands_in_for_a_missing_zone(machine: Machine, name: str) -> None:
    board = machine(name)
    zone = "thermal_zone0" if name == "pi4b" else "thermal_zone10"
    board.write(f"sys/class/thermal/{zone}/type", "gpu-thermal\n")
    board.write(f"sys/class/thermal/{zone}/temp", "1000\n")
    expected = 52.095 if name == "pi4b" else 58.0
    assert boards.temperature_c(KernelFiles(board.root)) == pytest.approx(expected)


def test_a_zone_that_hides_its_reading_leaves_the_next_sensor(machine: Machine) -> None:
    board = machine("pi4b")
    board.remove("sys/class/thermal/thermal_zone0/temp")
    assert boards.temperature_c(KernelFiles(board.root)) == pytest.approx(52.095)


def test_a_broken_sensor_is_unknown_and_said_once(
    machine: Machine, caplog: pytest.LogCaptureFixture
) -> None:
    board = machine("pi4b")
    board.write("sys/class/thermal/thermal_zone0/temp", "-274000\n")
    files = KernelFiles(board.root)
    with caplog.at_level(logging.WARNING):
        assert boards.temperature_c(files) is None
        assert boards.temperature_c(files) is None
    assert len(caplog.messages) == 1
    assert "thermal_zone0/temp" in caplog.text


def test_frequency_and_memory(machine: Machine) -> None:
    files = KernelFiles(machine("pi4b").root)
    assert boards.cpu_frequency_mhz(files) == 1800
    memory = boards.read_memory(files)
    assert memory.cma_total_mb == 512
    assert memory.cma_free_mb == pytest.approx(471044 / 1024)
    assert memory.available_mb == pytest.approx(3321004 / 1024)


def test_a_laptop_has_no_contiguous_memory_to_speak_of(machine: Machine) -> None:
    assert boards.read_memory(KernelFiles(machine("x86-laptop").root)).cma_total_mb is None


@pytest.mark.parametrize(
    ("name", "busy"),
    [("pi4b", 0.35), ("pi5", 0.1), ("pi3b-plus", 1.0), ("zero2w", 0.0), ("x86-laptop", 0.25)],
)
def test_busy_share_between_two_readings(machine: Machine, name: str, busy: float) -> None:
    board = machine(name)
    load = SystemLoad(KernelFiles(board.root))
    assert load.busy() is None
    board.play("later")
    assert load.busy() == pytest.approx(busy)


def test_two_readings_in_one_tick_know_nothing(machine: Machine) -> None:
    load = SystemLoad(KernelFiles(machine("pi4b").root))
    load.busy()
    assert load.busy() is None


@pytest.mark.parametrize("text", ["", "cpu 1 2", "intr 5 6 7 8 9", "cpu  a b c d e", "\x00\x01"])
def test_malformed_loads_are_unknown(machine: Machine, text: str) -> None:
    board = machine("pi4b")
    load = SystemLoad(KernelFiles(board.root))
    board.write("proc/stat", text)
    assert load.busy() is None


@pytest.mark.parametrize("name", BOARDS)
def test_an_empty_root_is_unknown_without_a_word(
    machine: Machine, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    empty = KernelFiles(machine(name).root / "nowhere")
    with caplog.at_level(logging.INFO):
        assert str(boards.read_board(empty)) == "unknown machine"
        assert boards.temperature_c(empty) is None
        assert boards.cpu_frequency_mhz(empty) is None
        assert boards.read_memory(empty) == (None,) * 5
        assert SystemLoad(empty).busy() is None
    assert caplog.messages == []


@pytest.mark.parametrize(
    ("name", "limit"), [("Raspberry Pi 4 Model B", 80.0), ("LENOVO ThinkPad X1", None)]
)
def test_the_heat_limit_is_known_of_raspberry_pis_only(name: str, limit: float | None) -> None:
    assert boards.temperature_limit_c(boards.Board(name, None)) == limit
