"""The Raspberry Pi firmware's alarms: under-voltage, capped frequency, throttling, soft limit.

``vcgencmd get_throttled`` is the documented way and the only one whose since-boot bits mean what
they say. The sysfs file of the firmware driver repeats what the kernel's voltage driver saw at
its last poll, and that driver tells the firmware to clear the since-boot bits every two seconds
(drivers/hwmon/raspberrypi-hwmon.c): a set bit there is true, a clear one proves nothing. The
``rpi_volt`` chip knows under-voltage only, of the last two seconds.
"""

from __future__ import annotations

import re
import time
from dataclasses import replace

from edge_runtime.telemetry.board import chips
from edge_runtime.telemetry.command import Command
from edge_runtime.telemetry.kernel_files import KernelFiles
from edge_runtime.types import Clock, Throttling

_VCGENCMD = ("vcgencmd", "get_throttled")
_ANSWER = re.compile(r"throttled=0x([0-9a-fA-F]+)$")


class ThrottlingReader:
    """Asks the firmware at most every ``every_s`` seconds, as that starts a process."""

    def __init__(
        self,
        files: KernelFiles,
        run_command: Command,
        *,
        clock: Clock = time.monotonic,
        every_s: float = 5.0,
    ) -> None:
        self._files = files
        self._run = run_command
        self._clock = clock
        self._every_s = every_s
        self._asked_at: float | None = None
        self._bits: int | None = None

    def read(self) -> Throttling | None:
        """The alarms; None on machines that have none of them."""
        alarm = under_voltage_alarm(self._files)
        answer = self._firmware() or self._sysfs()
        if answer is None:
            return None if alarm is None else _only_voltage(alarm)
        # The chip is read every time, the firmware seldom: the newer alarm counts.
        return replace(answer, under_voltage=True) if alarm else answer

    def _firmware(self) -> Throttling | None:
        now = self._clock()
        if self._asked_at is None or now - self._asked_at >= self._every_s:
            self._asked_at = now
            self._bits = self._ask()
        return None if self._bits is None else _alarms(self._bits, trust_clear_history=True)

    def _ask(self) -> int | None:
        text = self._run(_VCGENCMD)
        if text is None:
            return None
        found = _ANSWER.match(text)
        if found is None:
            self._files.odd(" ".join(_VCGENCMD), text)
            return None
        return int(found[1], 16)

    def _sysfs(self) -> Throttling | None:
        """The node is called ``soc`` or, since Linux 6.6 on a Pi 5, ``soc@…``."""
        for node in self._files.folders("sys/devices/platform"):
            name = node.rpartition("/")[2]
            if name == "soc" or name.startswith("soc@"):
                bits = self._files.integer(f"{node}/{name}:firmware/get_throttled", 16)
                return None if bits is None else _alarms(bits, trust_clear_history=False)
        return None


def under_voltage_alarm(files: KernelFiles) -> bool | None:
    """The kernel's own low-voltage alarm, now; None where there is no such chip."""
    for name, path in chips(files):
        if name == "rpi_volt":
            alarm = files.integer(f"{path}/in0_lcrit_alarm")
            return None if alarm is None else alarm != 0
    return None


def _alarms(bits: int, *, trust_clear_history: bool) -> Throttling:
    """Bits 0 to 3 are now, 16 to 19 at any time since boot (documentation of vcgencmd)."""
    now = [bool(bits >> bit & 1) for bit in range(4)]
    ever = [bool(bits >> bit & 1) for bit in range(16, 20)]
    return Throttling(*now, *(bit if bit or trust_clear_history else None for bit in ever))


def _only_voltage(alarm: bool) -> Throttling:
    unknown = (None,) * 3
    return Throttling(alarm, *unknown, alarm or None, *unknown)
