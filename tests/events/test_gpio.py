"""Pins, on gpiozero's own mock."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator

import pytest
from gpiozero import Device
from gpiozero.pins.mock import MockFactory

from edge_runtime.errors import ActionFailed, ActionUnavailable, LibraryMissing
from edge_runtime.events.action import Firing
from edge_runtime.events.gpio import GpioAction, Pins
from tests.events.told import event
from tests.events.waits import Waits

FIRING = Firing("gate", event())


@pytest.fixture
def board(monkeypatch: pytest.MonkeyPatch) -> Iterator[MockFactory]:
    factory = MockFactory()
    monkeypatch.setattr(Device, "pin_factory", factory)
    yield factory
    factory.close()


def levels(board: MockFactory, number: int) -> list[bool]:
    return [state.state for state in board.pin(number).states]


def test_a_pulse_switches_on_and_off_again(board: MockFactory) -> None:
    waits = Waits()
    with Pins() as pins:
        action = GpioAction(pins.pin(17, active_high=True), pulse_s=1.5)
        action.run(FIRING, waits.wait)
        action.run(FIRING, waits.wait)
        assert levels(board, 17)[-5:] == [False, True, False, True, False]
    assert waits.slept == [1.5, 1.5]


def test_a_relay_that_is_on_at_0_volts_is_off_from_the_start(board: MockFactory) -> None:
    with Pins() as pins:
        action = GpioAction(pins.pin(4, active_high=False))
        assert board.pin(4).state is True
        action.run(FIRING, Waits().wait)
        assert levels(board, 4)[-3:] == [True, False, True]


def test_rules_may_share_a_pin_but_must_agree_what_on_is(board: MockFactory) -> None:
    with Pins() as pins:
        first = pins.pin(17, active_high=True)
        assert pins.pin(17, active_high=True) is first
        with pytest.raises(ActionUnavailable, match="they must agree"):
            pins.pin(17, active_high=False)


def test_pulses_of_two_rules_come_one_after_the_other(board: MockFactory) -> None:
    with Pins() as pins:
        pin = pins.pin(17, active_high=True)
        on, release = threading.Event(), threading.Event()

        def hold(_: float) -> bool:
            on.set()
            return release.wait(5)

        first = threading.Thread(target=GpioAction(pin).run, args=(FIRING, hold))
        second = threading.Thread(target=GpioAction(pin).run, args=(FIRING, Waits().wait))
        first.start()
        assert on.wait(5)
        second.start()
        release.set()
        first.join(5)
        second.join(5)
        assert levels(board, 17)[-5:] == [False, True, False, True, False]


def test_a_gate_is_not_left_open_when_the_program_stops(board: MockFactory) -> None:
    def broken(_: float) -> bool:
        raise KeyboardInterrupt

    with Pins() as pins:
        action = GpioAction(pins.pin(17, active_high=True))
        with pytest.raises(KeyboardInterrupt):
            action.run(FIRING, broken)
        assert board.pin(17).state is False
        action.cancel()
        with pytest.raises(ActionFailed, match="was not switched"):
            action.run(FIRING, Waits().wait)
    assert board.pin(17).function == "input"


def test_a_pin_that_somebody_holds_or_that_is_none_is_said(board: MockFactory) -> None:
    from gpiozero import LED

    with LED(17), Pins() as pins, pytest.raises(ActionUnavailable, match="GPIO 17"):
        pins.pin(17, active_high=True)
    with Pins() as pins, pytest.raises(ActionUnavailable, match="GPIO 53 cannot be opened"):
        pins.pin(53, active_high=True)


def test_without_gpiozero_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gpiozero", None)
    with Pins() as pins, pytest.raises(LibraryMissing, match="apt install python3-gpiozero"):
        pins.pin(17, active_high=True)


def test_on_a_machine_without_pins_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Device, "pin_factory", None)
    monkeypatch.setenv("GPIOZERO_PIN_FACTORY", "lgpio")
    with Pins() as pins, pytest.raises(ActionUnavailable, match="GPIO 17 cannot be"):
        pins.pin(17, active_high=True)
