from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields

import pytest

from edge_runtime.telemetry.health import HealthReader
from edge_runtime.types import Health
from tests.telemetry.conftest import StandingClock
from tests.telemetry.recorded import BOARDS, RecordedMachine

Machine = Callable[[str], RecordedMachine]


def second_reading(board: RecordedMachine, clock: StandingClock, fps: float | None) -> Health:
    reader = HealthReader(board.root, clock=clock, run_command=board.run)
    reader.read()
    board.play("later")
    clock.pass_by(1)
    return reader.read(fps, None if fps is None else 2 * fps)


def test_a_pi_4b_in_one_look(machine: Machine, clock: StandingClock) -> None:
    health = second_reading(machine("pi4b"), clock, 20)
    assert health.board == "Raspberry Pi 4 Model B Rev 1.2"
    assert health.uptime_s == 1
    assert health.system_cpu_percent == pytest.approx(35)
    assert health.cpu_percent is not None
    assert health.temperature_c == pytest.approx(52.095)
    assert health.throttling is not None
    assert health.throttling.under_voltage is False
    assert health.throttling.under_voltage_since_boot is True
    assert health.power is not None
    assert health.energy_per_frame_mj == pytest.approx(health.power.watts / 20 * 1000)
    assert health.energy_per_inference_mj == pytest.approx(health.power.watts / 40 * 1000)


@pytest.mark.parametrize("name", BOARDS)
def test_every_board_has_power_after_two_readings(
    machine: Machine, clock: StandingClock, name: str
) -> None:
    health = second_reading(machine(name), clock, 10)
    assert health.power is not None
    assert 0.5 < health.power.watts < 10
    assert health.power.plus_minus > 0
    assert health.temperature_c is not None


@pytest.mark.parametrize("fps", [None, 0.0])
def test_no_frames_no_energy_per_frame(
    machine: Machine, clock: StandingClock, fps: float | None
) -> None:
    health = second_reading(machine("pi5"), clock, fps)
    assert health.power is not None
    assert health.energy_per_frame_mj is None
    assert health.energy_per_inference_mj is None


def test_a_machine_that_tells_nothing_is_unknown_throughout(
    machine: Machine, clock: StandingClock
) -> None:
    nowhere = machine("pi5").root / "nowhere"
    reader = HealthReader(nowhere, clock=clock, run_command=lambda argv: None)
    clock.pass_by(1)
    health = reader.read(10, 10)
    known = {"read_at", "board", "uptime_s"}
    unknown = {f.name: getattr(health, f.name) for f in fields(health) if f.name not in known}
    assert set(unknown.values()) == {None}
    assert health.board == "unknown machine"


def test_this_machine_can_be_read() -> None:
    reader = HealthReader()
    health = reader.read(30, 60)
    assert health.uptime_s >= 0
    assert health.board != ""
