"""Instructions that a Raspberry Pi 4 and 5 execute for a frame, counted under emulation.

    python -m benchmarks.arm_instructions --work build/arm [--peer FILE.tflite]
    python -m benchmarks.arm_instructions --check     # a release: exit code 1 when a stage grew
    python -m benchmarks.arm_instructions --keep      # what later checks compare with

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
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import numpy as np

from benchmarks.arm_board import CPUS, Cpu, make_pi
from benchmarks.arm_regression import KEPT, compared, medians, read_kept, write_kept
from benchmarks.arm_root import install_wheels, run, unpack_debian
from edge_runtime.bench.loop import SOURCE, frames_in_memory

HERE = Path(__file__).parent
MODELS = [
    Path(f"models/{name}/model.tflite") for name in ("face-glance", "smile", "mask", "face-points")
]
FRAMES = 12
LIBRARIES = "ai-edge-litert click numpy opencv-python-headless pydantic simplejpeg watchfiles"
COUNTED = CPUS[1:]
"""Pi 4 and 5."""
PACKAGES = ("base-files", "python3", "libc-bin", "libstdc++6", "libgomp1")
PYTHON = "3.11"
"""Bookworm's."""


class Bench:
    """A folder with all that the emulator needs, made where it is missing."""

    def __init__(self, work: Path) -> None:
        self.work = work
        self.root, self.libraries = work / "root", work / "libraries"
        self.plugin, self.frames = work / "arm_counter.so", work / "frames.npz"

    def make(self) -> None:
        self.work.mkdir(parents=True, exist_ok=True)
        if not (self.root / "usr/bin/python3").exists():
            unpack_debian(self.root, "bookworm", PACKAGES)
        if not self.libraries.is_dir():
            wanted = [f"{name}=={version(name)}" for name in LIBRARIES.split()]
            install_wheels(self.libraries, PYTHON, *wanted)
        run("gcc", "-O2", "-shared", "-fPIC", "-o", self.plugin, HERE / "arm_counter.c")
        frames = frames_in_memory(re.sub(r"frames=\d+", f"frames={FRAMES}", SOURCE))
        bgr = np.stack([frame.picture.bgr() for frame in frames])
        np.savez(self.frames, bgr=bgr, luma=np.stack([frame.luma for frame in frames]))
        for cpu in COUNTED:
            make_pi(self.pi(cpu), cpu)

    def pi(self, cpu: Cpu) -> Path:
        return self.work / cpu.name

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
        said = run(
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


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--work", type=Path, default=Path("build/arm"))
    parser.add_argument("--peer", type=Path, action="append", default=[])
    parser.add_argument("--check", action="store_true", help="compare with the kept figures")
    parser.add_argument("--keep", action="store_true", help="keep these figures")
    chosen = parser.parse_args(arguments)
    bench = Bench(chosen.work.resolve())
    bench.make()
    models = [path.resolve() for path in (*MODELS, *chosen.peer)]
    found = {cpu.name: bench.count(cpu, models) for cpu in COUNTED}
    print(table(found))
    if chosen.check:
        verdicts = compared(read_kept(KEPT), medians(found))
        print(*map(str, verdicts), sep="\n")
        return int(any(verdict.failed for verdict in verdicts))
    if chosen.keep:
        write_kept(KEPT, medians(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
