"""Numbers as words, with their units; what is unknown is said to be. Pure functions."""

from __future__ import annotations

from edge_runtime.web.report import MachineReport, PowerReport, RatesReport

UNKNOWN = "unknown"


def plain(text: str) -> str:
    """Text from elsewhere without what a terminal would obey."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def rate(rates: RatesReport | None) -> str:
    """Frames per second: with a result, of those that came, and those nobody looked at."""
    if rates is None or rates.processed_fps is None:
        return UNKNOWN
    said = f"{rates.processed_fps:.1f} fps"
    if rates.captured_fps is not None:
        said += f" of {rates.captured_fps:.1f}"
    return said + (f", {rates.dropped_fps:.1f} dropped" if rates.dropped_fps else "")


def milliseconds(value: float) -> str:
    """Three digits, without the unit."""
    return f"{value:.2f}" if value < 10 else f"{value:.1f}"


def celsius(machine: MachineReport) -> str:
    """The processor's, and where it is slowed down."""
    if machine.temperature_c is None:
        return UNKNOWN
    limit = machine.temperature_limit_c
    return f"{machine.temperature_c:.1f} °C" + (f" of {limit:.0f}" if limit is not None else "")


def watts(power: PowerReport | None) -> str:
    """Never without its error and its source."""
    if power is None:
        return UNKNOWN
    return f"{power.watts:.2f} ±{power.plus_minus:.2f} W, {plain(power.source)} ({power.scope})"


def energy(machine: MachineReport) -> str:
    """Of all that the power is about."""
    if machine.energy_per_frame_mj is None:
        return UNKNOWN
    return f"{machine.energy_per_frame_mj:.1f} mJ a frame"


def processor(machine: MachineReport) -> str:
    """What we and all programs take of it, and its clock."""
    own, all_cores = machine.cpu_percent, machine.system_cpu_percent
    parts = [
        None if own is None else f"{own:.0f} % of a core",
        None if all_cores is None else f"{all_cores:.0f} % of all",
        None if machine.cpu_frequency_mhz is None else f"{machine.cpu_frequency_mhz:.0f} MHz",
    ]
    return ", ".join(part for part in parts if part) or UNKNOWN


def memory(machine: MachineReport) -> str:
    """Ours, and what the machine has left."""
    if machine.memory_mb is None:
        return UNKNOWN
    left = machine.memory_available_mb
    return f"{machine.memory_mb:.0f} MiB" + (f", {left:.0f} free" if left is not None else "")


def span(seconds: float) -> str:
    """``12 s``, ``4 min``, ``3 h 5 min``, ``2 d 3 h``."""
    whole = max(0, int(seconds))
    if whole < 120:
        return f"{whole} s"
    minutes, hours, days = whole // 60, whole // 3600, whole // 86400
    if days:
        return f"{days} d {hours % 24} h"
    return f"{hours} h {minutes % 60} min" if hours else f"{minutes} min"


def size(count: int) -> str:
    """Of ``count`` bytes."""
    return f"{count / 1024:.0f} KiB" if count < 1 << 20 else f"{count / (1 << 20):.1f} MiB"
