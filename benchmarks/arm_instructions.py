"""Instructions that a Raspberry Pi 4 and 5 execute for a frame, counted under emulation.

    python -m benchmarks.arm_instructions --work build/arm [--peer FILE.tflite]

A count is no time, but neighbours do not disturb it: it is the same to the instruction for a model,
and to a few in a thousand for Python. Needs root (private mounts), and from Debian
``apt-get install --no-install-recommends qemu-user mmdebstrap gcc libc6-dev``. Everything else is
made in --work: Debian's ARM Python unpacked, the wheels of our libraries for ARM in the versions
that are installed here, a counting plugin, and a /sys and /proc/cpuinfo as a Pi has them, without
which the interpreter drops its fast kernels. A peer is a .tflite whose bare invoke is counted too;
``benchmarks.detector_speed`` makes one of BlazeFace's size.
"""

from __future__ import annotations

import argparse
import os
import re
import statistics
import subprocess
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import numpy as np

from edge_runtime.bench.loop import SOURCE, frames_in_memory

HERE = Path(__file__).parent
MODELS = [Path(f"models/{name}/model.tflite") for name in ("face-glance", "smile")]
FRAMES = 12
LIBRARIES = "ai-edge-litert click numpy opencv-python-headless pydantic simplejpeg watchfiles"
PYTHON = "3.11"
"""Bookworm's."""
GLIBC = "manylinux2014 manylinux_2_17 manylinux_2_27 manylinux_2_28 manylinux_2_34"
"""Wheels for these run on bookworm; pip does not take an older one for granted."""


class Cpu(NamedTuple):
    """As the kernel shows it on a Pi."""

    name: str
    part: str
    features: str
    model: str


_A72 = "fp asimd evtstrm crc32 cpuid"
_A76 = (
    "fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm lrcpc dcpop "
    "asimddp"
)
CPUS = (
    Cpu("cortex-a72", "0xd08", _A72, "Raspberry Pi 4 Model B Rev 1.4"),
    Cpu("cortex-a76", "0xd0b", _A76, "Raspberry Pi 5 Model B Rev 1.0"),
)
CORES = 4


class Bench:
    """A folder with all that the emulator needs, made where it is missing."""

    def __init__(self, work: Path) -> None:
        self.work = work
        self.root, self.libraries = work / "root", work / "libraries"
        self.plugin, self.frames = work / "arm_counter.so", work / "frames.npz"

    def make(self) -> None:
        self.work.mkdir(parents=True, exist_ok=True)
        if not (self.root / "usr/bin/python3").exists():
            _run(
                "mmdebstrap",
                "--quiet",
                "--arch=arm64",
                "--variant=extract",
                "--include=base-files,python3,libc-bin,libstdc++6,libgomp1",
                "bookworm",
                self.root,
            )
        if not self.libraries.is_dir():
            self._install()
        _run("gcc", "-O2", "-shared", "-fPIC", "-o", self.plugin, HERE / "arm_counter.c")
        frames = frames_in_memory(re.sub(r"frames=\d+", f"frames={FRAMES}", SOURCE))
        bgr = np.stack([frame.picture.bgr() for frame in frames])
        np.savez(self.frames, bgr=bgr, luma=np.stack([frame.luma for frame in frames]))
        for cpu in CPUS:
            make_pi(self.pi(cpu), cpu)

    def pi(self, cpu: Cpu) -> Path:
        return self.work / cpu.name

    def _install(self) -> None:
        platforms = [f"--platform={each}_aarch64" for each in GLIBC.split()]
        wanted = [f"{name}=={version(name)}" for name in LIBRARIES.split()]
        _run(
            sys.executable,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--only-binary=:all:",
            *platforms,
            "--implementation=cp",
            f"--python-version={PYTHON}",
            "--target",
            self.libraries,
            *wanted,
        )

    def count(self, cpu: Cpu, models: Sequence[Path]) -> dict[str, list[int]]:
        """Instructions of every run of every piece of work."""
        mounted = 'mount --bind "$1/cpuinfo" /proc/cpuinfo; mount --rbind "$1/sys" /sys; shift'
        emulator: list[str | Path] = [
            "setarch",
            "-R",
            "qemu-aarch64",
            "-cpu",
            cpu.name,
            "-plugin",
            self.plugin,
        ]
        guest: list[str | Path] = [
            "-L",
            self.root,
            self.root / "usr/bin/python3",
            "-S",
            HERE / "arm_guest.py",
        ]
        said = _run(
            "unshare",
            "-m",
            "--propagation=private",
            "sh",
            "-ec",
            f'{mounted}; exec "$@"',
            "sh",
            self.pi(cpu),
            *emulator,
            *guest,
            self.frames,
            *models,
            environ=self._environ(),
        )
        return counts(said)

    def _environ(self) -> dict[str, str]:
        paths = f"{self.libraries}:{HERE.parent}"
        single = {"OPENBLAS_NUM_THREADS": "1", "PYTHONHASHSEED": "0"}
        return os.environ | single | {"PYTHONHOME": f"{self.root}/usr", "PYTHONPATH": paths}


def counts(said: str) -> dict[str, list[int]]:
    """From the guest's and the plugin's lines: name, total before, total after, again and again."""
    pattern = r"^work (.+)\nexecuted (\d+)\nexecuted (\d+)$"
    found: dict[str, list[int]] = {}
    for name, before, after in re.findall(pattern, said, re.MULTILINE):
        if name != "-":
            found.setdefault(name, []).append(int(after) - int(before))
    return found


def make_pi(folder: Path, cpu: Cpu) -> None:
    """The files by which the interpreter's library recognizes a Pi's processor."""
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


def table(found: dict[str, dict[str, list[int]]]) -> str:
    """Markdown: by work the median of each processor, and how far the runs lie apart."""
    names = list(next(iter(found.values())))
    lines = [f"| Work | {' | '.join(found)} |", f"|---{'|---:' * len(found)}|"]
    for name in names:
        shown = [_shown(each[name]) for each in found.values()]
        lines.append(f"| {name} | {' | '.join(shown)} |")
    return "\n".join(lines)


def _shown(runs: list[int]) -> str:
    middle = statistics.median(runs)
    apart = (max(runs) - min(runs)) / middle
    return f"{middle / 1e6:.3f} M" + (f" (within {apart:.1%})" if apart else "")


def _run(*command: str | Path, environ: dict[str, str] | None = None) -> str:
    """What a command wrote to stderr; ends the program when it failed."""
    done = subprocess.run(
        list(map(str, command)), env=environ, stderr=subprocess.PIPE, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"{command[0]} failed with {done.returncode}:\n{done.stderr[-2000:]}")
    return done.stderr


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--work", type=Path, default=Path("build/arm"))
    parser.add_argument("--peer", type=Path, action="append", default=[])
    chosen = parser.parse_args()
    bench = Bench(chosen.work.resolve())
    bench.make()
    models = [path.resolve() for path in (*MODELS, *chosen.peer)]
    print(table({cpu.name: bench.count(cpu, models) for cpu in CPUS}))


if __name__ == "__main__":
    main()
