from __future__ import annotations

import logging
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_runtime.telemetry.kernel_files import KernelFiles
from edge_runtime.telemetry.throttling import ThrottlingReader
from edge_runtime.types import Throttling
from tests.telemetry.conftest import StandingClock
from tests.telemetry.recorded import RecordedMachine

Machine = Callable[[str], RecordedMachine]

HWMON = "sys/class/hwmon/hwmon1/in0_lcrit_alarm"


def reader_of(board: RecordedMachine, clock: StandingClock) -> ThrottlingReader:
    return ThrottlingReader(KernelFiles(board.root), board.run, clock=clock)


def now(alarms: Throttling | None) -> tuple[bool | None, ...]:
    assert alarms is not None
    return (
        alarms.under_voltage,
        alarms.frequency_capped,
        alarms.throttled,
        alarms.soft_temperature_limit,
    )


def ever(alarms: Throttling | None) -> tuple[bool | None, ...]:
    assert alarms is not None
    return (
        alarms.under_voltage_since_boot,
        alarms.frequency_capped_since_boot,
        alarms.throttled_since_boot,
        alarms.soft_temperature_limit_since_boot,
    )


def test_what_was_since_boot_is_not_shown_as_now(machine: Machine, clock: StandingClock) -> None:
    alarms = reader_of(machine("pi4b"), clock).read()
    assert now(alarms) == (False, False, False, False)
    assert ever(alarms) == (True, False, True, False)


def test_a_3b_plus_at_its_soft_limit(machine: Machine, clock: StandingClock) -> None:
    alarms = reader_of(machine("pi3b-plus"), clock).read()
    assert now(alarms) == (False, False, False, True)
    assert ever(alarms) == (False, False, False, True)


def test_without_vcgencmd_a_clear_history_proves_nothing(
    machine: Machine, clock: StandingClock
) -> None:
    board = machine("pi3b-plus")
    board.uninstall("vcgencmd")
    alarms = reader_of(board, clock).read()
    assert now(alarms) == (False, False, False, True)
    assert ever(alarms) == (None, None, None, True)


def test_the_node_of_a_pi_5_carries_its_address(machine: Machine, clock: StandingClock) -> None:
    board = machine("pi5")
    board.uninstall("vcgencmd")
    assert now(reader_of(board, clock).read()) == (False, False, False, False)


def test_the_voltage_chip_alone_knows_one_alarm(machine: Machine, clock: StandingClock) -> None:
    board = machine("pi4b")
    board.uninstall("vcgencmd")
    board.remove("sys/devices/platform/soc/soc:firmware/get_throttled")
    reader = reader_of(board, clock)
    assert now(reader.read()) == (False, None, None, None)
    assert ever(reader.read()) == (None, None, None, None)
    board.write(HWMON, "1\n")
    assert now(reader.read()) == (True, None, None, None)
    assert ever(reader.read()) == (True, None, None, None)


def test_the_firmware_is_asked_seldom_but_the_chip_is_heard_at_once(
    machine: Machine, clock: StandingClock
) -> None:
    board = machine("pi4b")
    reader = reader_of(board, clock)
    reader.read()
    clock.pass_by(1)
    board.write(HWMON, "1\n")
    assert now(reader.read()) == (True, False, False, False)
    assert len(board.asked) == 1
    clock.pass_by(4)
    board.answer("vcgencmd get_throttled", "throttled=0x50005")
    assert now(reader.read()) == (True, False, True, False)
    assert len(board.asked) == 2


def test_a_laptop_has_no_alarms(machine: Machine, clock: StandingClock) -> None:
    assert reader_of(machine("x86-laptop"), clock).read() is None


def test_an_odd_answer_is_unknown_and_said_once(
    machine: Machine, clock: StandingClock, caplog: pytest.LogCaptureFixture
) -> None:
    board = machine("zero2w")
    board.answer("vcgencmd get_throttled", "VCHI initialization failed")
    reader = reader_of(board, clock)
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            assert reader.read() is None
            clock.pass_by(10)
    assert len(caplog.messages) == 1


@given(bits=st.integers(0, 0xFFFFF))
def test_every_bit_lands_in_its_field(tmp_path_factory: pytest.TempPathFactory, bits: int) -> None:
    root = tmp_path_factory.getbasetemp() / "no-such-root"
    reader = ThrottlingReader(KernelFiles(root), lambda argv: f"throttled={bits:#x}")
    alarms = reader.read()
    assert now(alarms) == tuple(bool(bits & 1 << bit) for bit in (0, 1, 2, 3))
    assert ever(alarms) == tuple(bool(bits & 1 << bit) for bit in (16, 17, 18, 19))
