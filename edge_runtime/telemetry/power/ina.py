"""An external INA219, INA226 or INA260 power meter, read through the kernel's hwmon driver.

``dtoverlay=i2c-sensor,ina219`` loads the driver; this reader opens no I2C bus itself. hwmon gives
``power1_input`` in microwatts. The driver assumes a shunt of 10 milliohm unless told otherwise,
most breakout boards have 100: the shunt it reckons with is part of the source's words.
"""

from __future__ import annotations

import logging
import re

from edge_runtime.telemetry.board import chips
from edge_runtime.telemetry.kernel_files import KernelFiles
from edge_runtime.types import Power

log = logging.getLogger(__name__)

_NAMES = re.compile(r"ina2[2-6]\d|ina219|ina2xx")

# Chip 1 % (INA219A over temperature) and shunt 1 %; below that the steps of the power register,
# 20 * 10 uV / shunt * 1 V (INA219 data sheet): 20 mW for 10 milliohm.
_SHARE = 0.02
_STEP_W = 0.02


class InaPower:
    """Whatever flows through the shunt: the whole board when it sits in the supply line."""

    def __init__(self, files: KernelFiles, *, meter: str | None = None) -> None:
        """``meter``: the I2C device to believe, such as ``1-0040``; None when there is one."""
        self._files = files
        self._meter = meter
        self._complained = False

    def read(self, busy: float | None) -> Power | None:
        del busy
        found = self._found()
        if len(found) > 1:
            self._complain(found)
            return None
        for name, path in found:
            microwatts = self._files.integer(f"{path}/power1_input")
            if microwatts is not None and microwatts >= 0:
                watts = microwatts / 1e6
                return Power(watts, _SHARE * watts + _STEP_W, self._source(name, path), "board")
        return None

    def _found(self) -> list[tuple[str, str]]:
        meters = [(name, path) for name, path in chips(self._files) if _NAMES.fullmatch(name)]
        if self._meter is None:
            return meters
        return [(name, path) for name, path in meters if self._device(path) == self._meter]

    def _source(self, name: str, path: str) -> str:
        shunt = self._files.integer(f"{path}/shunt_resistor")
        reckoned = "" if shunt is None else f", shunt {shunt / 1000:g} mΩ"
        return f"{name.upper()} meter {_place(self._device(path))}{reckoned}"

    def _device(self, path: str) -> str:
        """The I2C device behind a hwmon folder: bus and address, ``1-0040``."""
        return (self._files.root / path / "device").resolve().name

    def _complain(self, found: list[tuple[str, str]]) -> None:
        # A battery hat meters its cell, a supply hat the board: guessing would be a lie.
        if not self._complained:
            self._complained = True
            names = ", ".join(self._device(path) for _, path in found)
            log.warning("several power meters (%s), none is believed: name one of them", names)


def _place(device: str) -> str:
    """``1-0040`` as ``at 0x40``."""
    _, dash, address = device.rpartition("-")
    return f"at {int(address, 16):#04x}" if dash and _is_hex(address) else f"({device})"


def _is_hex(text: str) -> bool:
    return re.fullmatch(r"[0-9a-fA-F]+", text) is not None
