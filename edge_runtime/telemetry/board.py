"""The machine itself: what it is called, how warm and how fast it runs, its memory."""

from __future__ import annotations

import re
from typing import NamedTuple

from edge_runtime.telemetry.kernel_files import KernelFiles

# Best first: the processor's own sensor. `acpitz` is left out, on many machines it never moves.
_ZONES = ("cpu-thermal", "cpu_thermal", "soc-thermal", "soc_thermal", "x86_pkg_temp")
_CHIPS = ("cpu_thermal", "coretemp", "k10temp", "zenpower")


class Board(NamedTuple):
    """What the machine calls itself."""

    name: str
    """Without revision: ``Raspberry Pi 4 Model B``."""
    revision: str | None
    """``1.2``; None where there is none."""

    def __str__(self) -> str:
        return f"{self.name} Rev {self.revision}" if self.revision else self.name


def read_board(files: KernelFiles) -> Board:
    """The device tree's model, else the BIOS's product name, else ``unknown machine``."""
    model = files.text("proc/device-tree/model")
    if model:
        name, _, revision = model.partition(" Rev ")
        return Board(name, revision or None)
    product = files.text("sys/class/dmi/id/product_name")
    if not product:
        return Board("unknown machine", None)
    vendor = files.text("sys/class/dmi/id/sys_vendor") or ""
    known = not vendor or product.startswith(vendor)
    return Board(product if known else f"{vendor} {product}", None)


def temperature_c(files: KernelFiles) -> float | None:
    """The processor's temperature, degrees Celsius; None when no sensor is known."""
    for path in _sensors(files):
        milli = files.integer(path)
        if milli is not None:
            # A broken sensor reads far out of what silicon survives.
            if -40_000 < milli < 150_000:
                return milli / 1000
            files.odd(path, str(milli))
            return None
    return None


def temperature_limit_c(board: Board) -> float | None:
    """Where the processor is slowed down; None where no document says it.

    All Raspberry Pis lower their clock from 80 degrees on, and more from 85 (Raspberry Pi
    documentation, "Frequency management and thermal control").
    """
    return 80.0 if board.name.startswith("Raspberry Pi") else None


def cpu_frequency_mhz(files: KernelFiles) -> float | None:
    """The first core's clock."""
    khz = files.integer("sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq")
    return None if khz is None else khz / 1000


class Memory(NamedTuple):
    """Of the whole machine, MiB."""

    total_mb: float | None
    available_mb: float | None
    """What programs can still get without swapping."""
    cma_total_mb: float | None
    """Contiguous memory, from which cameras take their buffers."""
    cma_free_mb: float | None
    swap_total_mb: float | None


def read_memory(files: KernelFiles) -> Memory:
    """From /proc/meminfo."""
    kib = files.table("proc/meminfo")
    names = ("MemTotal", "MemAvailable", "CmaTotal", "CmaFree", "SwapTotal")
    return Memory(*(kib[name] / 1024 if name in kib else None for name in names))


def chips(files: KernelFiles) -> list[tuple[str, str]]:
    """Sensor chips the kernel drives: (name, folder), such as (``rpi_volt``, ``…/hwmon1``)."""
    found = [(files.text(f"{path}/name"), path) for path in files.folders("sys/class/hwmon")]
    return [(name, path) for name, path in found if name]


def _sensors(files: KernelFiles) -> list[str]:
    """Files that may hold the processor's temperature, best first."""
    zones = [path for path in files.folders("sys/class/thermal") if "/thermal_zone" in path]
    kinds = {path: files.text(f"{path}/type") or "" for path in zones}
    best = [path for kind in _ZONES for path in zones if kinds[path] == kind]
    hwmon = [path for kind in _CHIPS for name, path in chips(files) if name == kind]
    other = [path for path in zones if re.match(r"(big|little)?-?(cpu|core)", kinds[path])]
    return [
        *(f"{path}/temp" for path in best),
        *(f"{path}/temp1_input" for path in hwmon),
        *(f"{path}/temp" for path in other if path not in best),
    ]
