"""An action that switches a pin on for a while, such as a gate's relay, through gpiozero."""

from __future__ import annotations

import threading
from collections.abc import Collection
from typing import Final, Protocol

from edge_runtime.closeable import Closeable
from edge_runtime.errors import ActionFailed, ActionUnavailable, LibraryMissing
from edge_runtime.events.action import Action, Firing, Wait

MISSING: Final = (
    "a rule switches a pin, but gpiozero is not installed: sudo apt install python3-gpiozero, or "
    "pip install 'edge-runtime[gpio]'"
)


class Output(Protocol):
    """The part of gpiozero's OutputDevice that is needed."""

    def on(self) -> None: ...
    def off(self) -> None: ...
    def close(self) -> None: ...


class Pins(Closeable):
    """The pins that rules switch, each opened once however many rules share it.

    A pin is off while nobody switches it, from here until ``close``.
    """

    def __init__(self) -> None:
        self._pins: dict[int, Pin] = {}

    def pin(self, number: int, *, active_high: bool) -> Pin:
        """By its GPIO number. Raises LibraryMissing or ActionUnavailable."""
        known = self._pins.get(number)
        if known is None:
            known = self._pins[number] = Pin(number, active_high)
        elif known.active_high != active_high:
            raise ActionUnavailable(
                f"GPIO {number} is switched by two rules, one with active_high = true and one with "
                "false: they must agree (a reload cannot turn a pin round that is in use)"
            )
        return known

    def keep_only(self, numbers: Collection[int]) -> None:
        """Give back the pins that no rule switches any more."""
        for number in [number for number in self._pins if number not in numbers]:
            self._pins.pop(number).close()

    def close(self) -> None:
        self.keep_only(())


class Pin(Closeable):
    """One output; a pulse of one rule waits for another's."""

    def __init__(self, number: int, active_high: bool) -> None:
        self.number, self.active_high = number, active_high
        self._device = _opened(number, active_high)
        self._switching = threading.Lock()

    def pulse(self, seconds: float, wait: Wait) -> None:
        """On, and off again after so long, or as soon as ``wait`` says that the rule ends."""
        with self._switching:
            self._device.on()
            try:
                wait(seconds)
            finally:
                self._device.off()

    def close(self) -> None:
        self._device.close()


class GpioAction(Action):
    """Pulses one pin."""

    def __init__(self, pin: Pin, *, pulse_s: float = 1.0) -> None:
        self._pin, self._pulse_s = pin, pulse_s
        self._cancelled = False

    @property
    def description(self) -> str:
        return f"switch GPIO {self._pin.number} on for {self._pulse_s:g} s"

    def run(self, firing: Firing, wait: Wait) -> None:
        if self._cancelled:
            raise ActionFailed(f"GPIO {self._pin.number} was not switched: the rule ends")
        try:
            self._pin.pulse(self._pulse_s, wait)
        except Exception as error:  # each pin library has its own
            raise ActionFailed(f"GPIO {self._pin.number} could not be switched: {error}") from error

    def cancel(self) -> None:
        self._cancelled = True


def _opened(number: int, active_high: bool) -> Output:
    try:
        from gpiozero import OutputDevice  # noqa: PLC0415 - optional
        from gpiozero.exc import BadPinFactory  # noqa: PLC0415
    except ImportError as error:
        raise LibraryMissing(MISSING) from error
    try:
        device: Output = OutputDevice(number, active_high=active_high, initial_value=False)
        return device
    except BadPinFactory as error:
        raise ActionUnavailable(
            f"GPIO {number} cannot be switched: this is no board with pins, or its pin library is "
            "missing (sudo apt install python3-lgpio)"
        ) from error
    except Exception as error:  # each pin library has its own for a busy or forbidden pin
        raise ActionUnavailable(
            f"GPIO {number} cannot be opened: {error}. Another program may hold it (a running "
            "edge-runtime?), or the user may not be in the group gpio"
        ) from error
