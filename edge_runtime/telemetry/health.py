"""One reading of everything: the Health of the machine and of this process."""

from __future__ import annotations

import time
from pathlib import Path

from edge_runtime.telemetry.board import (
    cpu_frequency_mhz,
    read_board,
    read_memory,
    temperature_c,
    temperature_limit_c,
)
from edge_runtime.telemetry.command import Command, run_command
from edge_runtime.telemetry.kernel_files import KernelFiles
from edge_runtime.telemetry.load import SystemLoad
from edge_runtime.telemetry.power.power import power_of
from edge_runtime.telemetry.process import ProcessReader
from edge_runtime.telemetry.throttling import ThrottlingReader
from edge_runtime.types import Clock, Health, Power


class HealthReader:
    """Reads /proc, /sys and the firmware; meant to be asked every second or two by one thread.

    Loads and RAPL power are means since the last reading, so the first one lacks them.
    """

    def __init__(
        self,
        root: Path = Path("/"),
        *,
        clock: Clock = time.monotonic,
        run_command: Command = run_command,
        power_meter: str | None = None,
    ) -> None:
        """``power_meter``: which I2C meter to believe (``1-0040``) where there are several."""
        self._clock = clock
        self._files = files = KernelFiles(root)
        self._board = read_board(files)
        self._process = ProcessReader(files, clock=clock)
        self._load = SystemLoad(files)
        self._throttling = ThrottlingReader(files, run_command, clock=clock)
        self._power = power_of(self._board, files, run_command, clock=clock, meter=power_meter)

    def read(
        self, processed_fps: float | None = None, inferences_per_s: float | None = None
    ) -> Health:
        """The health now. The rates turn power into energy; None or 0 leave it unknown."""
        busy = self._load.busy()
        power = self._power.read(busy)
        memory = read_memory(self._files)
        return Health(
            read_at=self._clock(),
            board=str(self._board),
            uptime_s=self._process.uptime_s(),
            cpu_percent=self._process.cpu_percent(),
            system_cpu_percent=None if busy is None else 100 * busy,
            memory_mb=self._process.memory_mb(),
            peak_memory_mb=self._process.peak_memory_mb(),
            memory_available_mb=memory.available_mb,
            temperature_c=temperature_c(self._files),
            throttling=self._throttling.read(),
            power=power,
            energy_per_frame_mj=energy_mj(power, processed_fps),
            energy_per_inference_mj=energy_mj(power, inferences_per_s),
            cpu_frequency_mhz=cpu_frequency_mhz(self._files),
            cma_free_mb=memory.cma_free_mb,
            temperature_limit_c=temperature_limit_c(self._board),
        )


def energy_mj(power: Power | None, per_second: float | None) -> float | None:
    """Millijoules for each of ``per_second`` events; None when either is unknown or 0."""
    if power is None or not per_second:
        return None
    return 1000 * power.watts / per_second
