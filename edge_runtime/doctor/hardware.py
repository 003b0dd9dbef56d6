"""Power supply, heat and memory."""

from __future__ import annotations

from collections.abc import Iterator

from edge_runtime.doctor.finding import Finding
from edge_runtime.doctor.machine import Machine
from edge_runtime.telemetry.board import Memory, read_board, read_memory, temperature_c
from edge_runtime.telemetry.throttling import ThrottlingReader
from edge_runtime.types import Throttling

# The firmware slows the processor from 80 degrees on and stops it at 85.
_HOT_C = 80.0
_WARM_C = 70.0

# What the runtime with its page may take, and a margin.
_NEEDED_MB = 130.0
_COMFORTABLE_MB = 200.0

# Four raw and six processed buffers of a 1536x864 stream take about 30 MiB.
_CAMERA_BUFFERS_MB = 30.0


def check_board(machine: Machine) -> Finding:
    """What the machine calls itself."""
    board = read_board(machine.files)
    known = board.name != "unknown machine"
    return Finding("board", "fine" if known else "unknown", str(board))


def check_supply(machine: Machine) -> Iterator[Finding]:
    """Under-voltage and throttling; nothing on machines without the firmware's alarms."""
    if not machine.is_raspberry_pi:
        return
    alarms = ThrottlingReader(machine.files, machine.run).read()
    if alarms is None:
        yield Finding("power supply", "unknown", "the firmware does not answer")
    else:
        yield _voltage(alarms)
        yield _throttling(alarms)
    offer = _offered_current(machine)
    if offer is not None:
        yield offer


def check_temperature(machine: Machine) -> Finding:
    """The processor now."""
    degrees = temperature_c(machine.files)
    if degrees is None:
        return Finding("temperature", "unknown", "no sensor is known")
    text = f"{degrees:.0f} °C"
    remedy = "give it a heat sink, a fan or a cooler place"
    if degrees >= _HOT_C:
        return Finding("temperature", "act", f"{text}: the firmware slows it down", remedy)
    if degrees >= _WARM_C:
        return Finding("temperature", "watch", text, remedy)
    return Finding("temperature", "fine", text)


def check_memory(machine: Machine) -> Iterator[Finding]:
    """Memory, the camera's share of it, swap."""
    memory = read_memory(machine.files)
    yield _available(memory)
    if machine.is_raspberry_pi:
        yield _contiguous(memory)
    yield _swap(machine, memory)


def _voltage(alarms: Throttling) -> Finding:
    name = "power supply"
    remedy = "use the official supply of this board and a short, thick cable"
    if alarms.under_voltage:
        return Finding(name, "act", "under-voltage now", remedy)
    if alarms.under_voltage_since_boot:
        return Finding(name, "watch", "under-voltage at some time since boot, not now", remedy)
    if alarms.under_voltage is None:
        return Finding(name, "unknown", "this board does not tell")
    if alarms.under_voltage_since_boot is None:
        text = "no under-voltage now; whether there was any since boot only vcgencmd can tell"
        return Finding(name, "unknown", text, "sudo apt install raspi-utils")
    return Finding(name, "fine", "no under-voltage since boot")


def _throttling(alarms: Throttling) -> Finding:
    name = "throttling"
    now = _said(alarms.throttled, alarms.frequency_capped, alarms.soft_temperature_limit)
    ever = _said(
        alarms.throttled_since_boot,
        alarms.frequency_capped_since_boot,
        alarms.soft_temperature_limit_since_boot,
    )
    remedy = "cool it better; if the supply is short of voltage, mend that first"
    if now:
        return Finding(name, "act", f"now: {now}", remedy)
    if ever:
        return Finding(name, "watch", f"at some time since boot: {ever}", remedy)
    if alarms.throttled is None:
        return Finding(name, "unknown", "this board does not tell")
    return Finding(name, "fine", "none now")


def _said(throttled: bool | None, capped: bool | None, soft: bool | None) -> str:
    words = ((throttled, "slowed down"), (capped, "frequency capped"), (soft, "soft heat limit"))
    return ", ".join(word for alarm, word in words if alarm)


def _offered_current(machine: Machine) -> Finding | None:
    """What the supply of a Pi 5 negotiated; other boards have no such node."""
    node = "proc/device-tree/chosen/power"
    offered = machine.files.big_endian(f"{node}/max_current")
    if offered is None:
        return None
    text = f"offers {offered} mA"
    if machine.files.big_endian(f"{node}/usb_max_current_enable"):
        return Finding("supply current", "fine", f"{text}, USB ports at full current")
    remedy = (
        "use a 5 V 5 A USB-PD supply; if yours gives 5 A without saying so (hat, pins), set "
        "usb_max_current_enable=1 in /boot/firmware/config.txt"
    )
    return Finding("supply current", "watch", f"{text}: USB devices get 600 mA together", remedy)


def _available(memory: Memory) -> Finding:
    available = memory.available_mb
    if available is None:
        return Finding("memory", "unknown", "the kernel does not tell")
    text = f"{available:.0f} MiB available"
    remedy = "stop other programs, or use the Lite system without a desktop"
    if available < _NEEDED_MB:
        return Finding("memory", "act", f"{text}, {_NEEDED_MB:.0f} are needed", remedy)
    if available < _COMFORTABLE_MB:
        return Finding("memory", "watch", text, remedy)
    return Finding("memory", "fine", text)


def _contiguous(memory: Memory) -> Finding:
    name, free = "camera memory", memory.cma_free_mb
    if free is None or memory.cma_total_mb is None:
        return Finding(name, "unknown", "the kernel does not tell how much CMA there is")
    text = f"{free:.0f} of {memory.cma_total_mb:.0f} MiB of CMA free"
    if free >= _CAMERA_BUFFERS_MB:
        return Finding(name, "fine", text)
    remedy = (
        "fewer buffers or a smaller size in the source's URI, or more CMA: "
        "dtoverlay=vc4-kms-v3d,cma-256 in /boot/firmware/config.txt"
    )
    return Finding(name, "watch", text, remedy)


def _swap(machine: Machine, memory: Memory) -> Finding:
    swaps = [line.split()[0] for line in (machine.files.text("proc/swaps") or "").splitlines()[1:]]
    if memory.swap_total_mb is None:
        return Finding("swap", "unknown", "the kernel does not tell")
    if not swaps:
        return Finding("swap", "fine", "none")
    text = f"{memory.swap_total_mb:.0f} MiB on {', '.join(swaps)}"
    on_card = "/dev/mmcblk" in (machine.files.text("proc/self/mounts") or "").partition(" / ")[0]
    if on_card and not all("zram" in swap for swap in swaps):
        remedy = "sudo apt install systemd-zram-generator, sudo dphys-swapfile uninstall"
        return Finding("swap", "watch", f"{text}, which wears the SD card", remedy)
    return Finding("swap", "fine", text)
