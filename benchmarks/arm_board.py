"""What a Raspberry Pi's kernel shows of its processor, for programs that run under emulation.

The interpreter's library asks /sys and /proc/cpuinfo for the processor: with a PC's answers it
crashes, with none it silently drops its fast kernels.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple


class Cpu(NamedTuple):
    """As the kernel shows it on a Pi."""

    name: str
    part: str
    features: str
    model: str


_ARMV8_0 = "fp asimd evtstrm crc32 cpuid"
_A76 = (
    "fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm lrcpc dcpop "
    "asimddp"
)
CPUS = (
    Cpu("cortex-a53", "0xd03", _ARMV8_0, "Raspberry Pi 3 Model B Rev 1.2"),
    Cpu("cortex-a72", "0xd08", _ARMV8_0, "Raspberry Pi 4 Model B Rev 1.4"),
    Cpu("cortex-a76", "0xd0b", _A76, "Raspberry Pi 5 Model B Rev 1.0"),
)
CORES = 4


def make_pi(folder: Path, cpu: Cpu) -> None:
    """Write ``folder/cpuinfo`` and ``folder/sys``, by which the processor is recognized."""
    cpus = folder / "sys/devices/system/cpu"
    cpus.mkdir(parents=True, exist_ok=True)
    for name in ("possible", "present", "online"):
        (cpus / name).write_text(f"0-{CORES - 1}\n")
    shown = "".join(
        f"processor\t: {core}\nFeatures\t: {cpu.features}\nCPU implementer\t: 0x41\n"
        f"CPU architecture: 8\nCPU variant\t: 0x0\nCPU part\t: {cpu.part}\nCPU revision\t: 3\n\n"
        for core in range(CORES)
    )
    (folder / "cpuinfo").write_text(f"{shown}Model\t\t: {cpu.model}\n")
    for core in range(CORES):
        topology = cpus / f"cpu{core}/topology"
        topology.mkdir(parents=True, exist_ok=True)
        for name in ("physical_package_id", "core_id"):
            (topology / name).write_text(f"{core if name == 'core_id' else 0}\n")
        for name in ("core_siblings_list", "package_cpus_list", "cluster_cpus_list"):
            (topology / name).write_text(f"0-{CORES - 1}\n")
