from __future__ import annotations

import logging
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_runtime.telemetry.board import Board, read_board
from edge_runtime.telemetry.kernel_files import KernelFiles
from edge_runtime.telemetry.power.model import MODELS, WORST_DISAGREEMENT, model_of
from edge_runtime.telemetry.power.pmic import PmicPower, rail_power_w
from edge_runtime.telemetry.power.power import TrustedPower, power_of
from tests.telemetry.conftest import StandingClock
from tests.telemetry.recorded import RecordedMachine

Machine = Callable[[str], RecordedMachine]


def power_on(
    board: RecordedMachine, clock: StandingClock, meter: str | None = None
) -> TrustedPower:
    files = KernelFiles(board.root)
    return power_of(read_board(files), files, board.run, clock=clock, meter=meter)


def add_meter(board: RecordedMachine, index: int, name: str, device: str, power: str) -> None:
    folder = f"sys/class/hwmon/hwmon{index}"
    board.write(f"{folder}/name", f"{name}\n")
    board.write(f"{folder}/power1_input", f"{power}\n")
    board.write(f"sys/devices/i2c-1/{device}/name", f"{name}\n")
    board.link(f"{folder}/device", f"../../../devices/i2c-1/{device}")


# --- external meter


def test_an_external_meter_is_believed_before_all_else(
    machine: Machine, clock: StandingClock
) -> None:
    board = machine("pi5")
    add_meter(board, 10, "ina219", "1-0040", "5120000")
    power = power_on(board, clock).read(0.5)
    assert power is not None
    assert power.watts == pytest.approx(5.12)
    assert power.plus_minus == pytest.approx(0.02 * 5.12 + 0.02)
    assert power.source == "INA219 meter at 0x40"
    assert power.scope == "board"
    assert board.asked == []


def test_the_shunt_the_driver_reckons_with_is_said(machine: Machine, clock: StandingClock) -> None:
    board = machine("zero2w")
    add_meter(board, 5, "ina219", "1-0040", "800000")
    board.write("sys/class/hwmon/hwmon5/shunt_resistor", "100000\n")
    power = power_on(board, clock).read(None)
    assert power is not None
    assert power.source == "INA219 meter at 0x40, shunt 100 mΩ"


@pytest.mark.parametrize("name", ["ina219", "ina226", "ina231", "ina260", "ina2xx"])
def test_every_chip_of_the_family_is_known(
    machine: Machine, clock: StandingClock, name: str
) -> None:
    board = machine("zero2w")
    add_meter(board, 5, name, "1-0041", "1000000")
    power = power_on(board, clock).read(None)
    assert power is not None
    assert power.source == f"{name.upper()} meter at 0x41"


def test_of_two_meters_none_is_believed_unless_named(
    machine: Machine, clock: StandingClock, caplog: pytest.LogCaptureFixture
) -> None:
    board = machine("pi4b")
    add_meter(board, 5, "ina219", "1-0040", "4000000")
    add_meter(board, 6, "ina219", "1-0043", "900000")
    reader = power_on(board, clock)
    with caplog.at_level(logging.WARNING):
        guess, again = reader.read(0.0), reader.read(0.0)
    assert guess == again
    assert guess is not None
    assert guess.source.startswith("model of a Pi 4B")
    assert [r.getMessage() for r in caplog.records if "1-0040, 1-0043" in r.getMessage()] != []
    assert len(caplog.records) == 1
    named = power_on(board, clock, meter="1-0043").read(0.0)
    assert named is not None
    assert named.watts == pytest.approx(0.9)
    assert named.source == "INA219 meter at 0x43"


def test_an_unreadable_meter_leaves_the_next_in_trust(
    machine: Machine, clock: StandingClock
) -> None:
    board = machine("pi4b")
    add_meter(board, 5, "ina219", "1-0040", "")
    power = power_on(board, clock).read(0.0)
    assert power is not None
    assert power.source.startswith("model")


# --- Pi 5


def test_the_rails_of_a_pi_5_are_summed_and_fitted(machine: Machine, clock: StandingClock) -> None:
    board = machine("pi5")
    power = power_on(board, clock).read(None)
    rails = rail_power_w(board.run(("vcgencmd", "pmic_read_adc")) or "")
    assert rails is not None
    assert 2.5 < rails < 3.0
    assert power is not None
    assert power.watts == pytest.approx(1.1451 * rails + 0.5879)
    assert power.plus_minus == pytest.approx(0.1 * power.watts)
    assert power.source == "PMIC of a Pi 5, without USB and hats"


def test_rails_without_a_current_count_nothing() -> None:
    text = " VDD_CORE_A current(7)=2.00000000A\n VDD_CORE_V volt(15)=0.80000000V\n"
    only_volts = "    EXT5V_V volt(24)=5.10938000V\n      BATT_V volt(25)=3.00000000V\n"
    assert rail_power_w(text + only_volts) == pytest.approx(1.6)
    assert rail_power_w(only_volts) is None


@given(st.text())
def test_any_text_from_the_firmware_is_survived(text: str) -> None:
    assert (rail_power_w(text) or 0.0) >= 0


def test_the_pmic_is_asked_every_two_seconds_and_averaged(clock: StandingClock) -> None:
    asked: list[float] = []

    def run(argv: object) -> str:
        asked.append(clock())
        amps = 2.0 if len(asked) % 2 else 4.0
        return f"VDD_CORE_A current(7)={amps}A\nVDD_CORE_V volt(15)=1.0V"

    pmic = PmicPower(Board("Raspberry Pi 5 Model B", "1.0"), run, clock=clock)
    for _ in range(16):
        power = pmic.read(None)
        clock.pass_by(0.5)
    assert asked == [1000, 1002, 1004, 1006]
    assert power is not None
    assert power.watts == pytest.approx(1.1451 * 3.0 + 0.5879)


def test_a_pmic_that_falls_silent_is_forgotten(machine: Machine, clock: StandingClock) -> None:
    board = machine("pi5")
    reader = power_on(board, clock)
    assert reader.read(0.5) is not None
    board.uninstall("vcgencmd")
    clock.pass_by(2)
    power = reader.read(0.5)
    assert power is not None
    assert power.source.startswith("model of a Pi 5")


def test_other_boards_are_not_asked_for_a_pmic(machine: Machine, clock: StandingClock) -> None:
    board = machine("pi4b")
    power_on(board, clock).read(0.5)
    assert board.asked == []


# --- RAPL


def test_rapl_knows_from_the_second_reading_and_across_a_wraparound(
    machine: Machine, clock: StandingClock
) -> None:
    board = machine("x86-laptop")
    reader = power_on(board, clock)
    assert reader.read(0.1) is None
    board.play("later")
    clock.pass_by(1)
    power = reader.read(0.1)
    assert power is not None
    assert power.watts == pytest.approx(9.5)
    assert (power.source, power.scope) == ("RAPL package counters", "soc")
    assert power.plus_minus == pytest.approx(0.95)


def test_rapl_read_twice_at_once_repeats_itself(machine: Machine, clock: StandingClock) -> None:
    board = machine("x86-laptop")
    reader = power_on(board, clock)
    reader.read(None)
    board.play("later")
    clock.pass_by(1)
    first = reader.read(None)
    clock.pass_by(0.01)
    assert reader.read(None) == first
    assert first is not None


def test_rapl_is_unknown_to_ordinary_users(machine: Machine, clock: StandingClock) -> None:
    board = machine("x86-laptop")
    board.remove("sys/class/powercap/intel-rapl:0/energy_uj")
    reader = power_on(board, clock)
    reader.read(0.5)
    clock.pass_by(1)
    assert reader.read(0.5) is None


# --- model


@pytest.mark.parametrize(
    ("name", "busy", "watts"),
    [
        ("pi4b", 0.35, 2.285693 + 0.35 * 4.534427),
        ("pi3b-plus", 1.0, 2.002230 + 3.298333),
        ("zero2w", 0.0, 0.6),
    ],
)
def test_boards_without_a_sensor_are_modelled(
    machine: Machine, clock: StandingClock, name: str, busy: float, watts: float
) -> None:
    power = power_on(machine(name), clock).read(busy)
    assert power is not None
    assert power.watts == pytest.approx(watts)
    assert power.scope == "board"
    assert "without camera" in power.source


def test_an_unknown_load_has_no_modelled_power(machine: Machine, clock: StandingClock) -> None:
    assert power_on(machine("pi4b"), clock).read(None) is None


def test_boards_nobody_measured_are_unknown(clock: StandingClock) -> None:
    assert model_of(Board("Raspberry Pi Compute Module 4", "1.0")) is None


@pytest.mark.parametrize("name", MODELS)
@given(busy=st.floats(-0.5, 1.5), more=st.floats(0, 1))
def test_models_rise_with_the_load_and_stay_between_idle_and_full(
    name: str, busy: float, more: float
) -> None:
    model = MODELS[name]
    low, high = model.read(busy), model.read(busy + more)
    assert low is not None
    assert high is not None
    assert model.idle_w <= low.watts <= high.watts + 1e-9 <= model.full_w + 2e-9
    assert 0.1 * low.watts - 1e-9 <= low.plus_minus <= 0.5 * low.watts


@pytest.mark.parametrize("name", MODELS)
def test_every_other_figure_lies_within_the_error(name: str) -> None:
    model = MODELS[name]
    idle, full = model.read(0), model.read(1)
    assert idle is not None
    assert full is not None
    for anchor in model.anchors:
        assert abs(idle.watts - anchor.idle_w) <= idle.plus_minus + 1e-9
        assert abs(full.watts - anchor.full_w) <= full.plus_minus + 1e-9


def test_the_error_of_boards_with_one_source_is_the_worst_of_the_others() -> None:
    worst = max(
        abs(ours - theirs) / ours
        for model in MODELS.values()
        for anchor in model.anchors
        for ours, theirs in ((model.idle_w, anchor.idle_w), (model.full_w, anchor.full_w))
    )
    assert pytest.approx(worst, abs=0.005) == WORST_DISAGREEMENT
