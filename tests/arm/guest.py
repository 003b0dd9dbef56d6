"""An ARM Debian on this machine: its programs run one by one under user-mode emulation.

Nothing of Debian's own scripts runs and nothing stays mounted: each command gets a mount namespace
of its own, in which the Pi's /sys and /proc/cpuinfo lie over the PC's.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.arm_board import Cpu, make_pi
from benchmarks.arm_root import install_wheels, unpack_debian

REPOSITORY: Final = Path(__file__).resolve().parent.parent.parent
CODE, LIBRARIES, OUT = "/srv/edge-runtime", "/opt/libraries", "/srv/out"
PACKAGES: Final = (
    "base-files base-passwd bash coreutils dash grep sed findutils util-linux procps hostname "
    "python3 ca-certificates libc-bin libstdc++6 libgomp1 strace"
)

# What only makes or checks the code has no place on a board, or no wheel for it.
NOT_THERE: Final = ("mypy", "mypy-extensions", "ruff", "selenium", "librt", "ast-serialize")

BINFMT: Final = Path("/proc/sys/fs/binfmt_misc")
HANDLER: Final = Path("/usr/lib/binfmt.d/qemu-aarch64.conf")

# $1 root, $2 the Pi, $3 the code, $4 libraries, $5 where results go; then the command.
ENTER: Final = """\
root=$1 pi=$2 code=$3 libraries=$4 out=$5; shift 5
mount -t proc proc "$root/proc"
mount --bind "$pi/cpuinfo" "$root/proc/cpuinfo"
mount --bind "$pi/sys" "$root/sys"
mount --rbind /dev "$root/dev"
mount -t tmpfs tmp "$root/tmp"
mount --bind "$libraries" "$root/opt/libraries"
mount --bind "$out" "$root/srv/out"
mount --bind "$code" "$root/srv/edge-runtime"
mount -o remount,bind,ro "$root/srv/edge-runtime"
exec chroot "$root" /bin/sh -ec 'cd /srv/edge-runtime; exec "$@"' sh "$@"
"""


@dataclass(frozen=True, slots=True)
class Suite:
    """A release of Debian with one of the interpreter libraries."""

    name: str
    debian: str
    python: str
    lock: str
    """Below requirements/."""


SUITES: Final = (
    Suite("bookworm", "bookworm", "3.11", "dev.txt"),
    Suite("bookworm-tflite-runtime", "bookworm", "3.11", "tflite-runtime.txt"),
    Suite("trixie", "trixie", "3.13", "dev.txt"),
)


class Guest:
    """One suite in ``work``, made where it is missing."""

    def __init__(self, suite: Suite, work: Path) -> None:
        self.suite, self.work = suite, work
        self.root = work / suite.debian
        self.libraries = work / f"libraries-{suite.name}"

    def make(self) -> None:
        """Needs the network the first time, or when the lock has changed."""
        register_emulator()
        if not (self.root / "srv/edge-runtime").is_dir():
            unpack_debian(self.root, self.suite.debian, PACKAGES.split())
            for folder in (CODE, LIBRARIES, OUT, "/var/cache/python"):
                (self.root / folder[1:]).mkdir(parents=True, exist_ok=True)
        self._install()

    def _install(self) -> None:
        lock = board_lock((REPOSITORY / "requirements" / self.suite.lock).read_text())
        stamp = self.libraries / "installed-from"
        if stamp.exists() and stamp.read_text() == lock:
            return
        shutil.rmtree(self.libraries, ignore_errors=True)
        wanted = self.work / f"{self.suite.name}.txt"
        wanted.write_text(lock)
        install_wheels(self.libraries, self.suite.python, "--no-deps", "--requirement", str(wanted))
        stamp.write_text(lock)

    def run(
        self, cpu: Cpu, *command: str, out: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        """``command`` in the repository's root, read-only there, on the Pi of that processor."""
        pi = self.work / cpu.name
        make_pi(pi, cpu)
        results = out or self.work / "out"
        results.mkdir(parents=True, exist_ok=True)
        places = map(str, (self.root, pi, REPOSITORY, self.libraries, results))
        enter = ("unshare", "--mount", "--propagation=private", "sh", "-ec", ENTER, "sh")
        return subprocess.run(
            [*enter, *places, *command],
            env=environment(cpu),
            capture_output=True,
            text=True,
            check=False,
        )


def environment(cpu: Cpu) -> Mapping[str, str]:
    """Nothing of the host's. The emulator's own default processor gives wrong int8 results."""
    return {
        "QEMU_CPU": cpu.name,
        "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": "/root",
        "LC_ALL": "C.UTF-8",
        "CI": "true",
        "PYTHONPATH": f"{LIBRARIES}:{CODE}",
        "PYTHONPYCACHEPREFIX": "/var/cache/python",
        "HYPOTHESIS_STORAGE_DIRECTORY": "/tmp/hypothesis",
        "OPENBLAS_NUM_THREADS": "1",
    }


def board_lock(text: str) -> str:
    """The lines of a lock that a board needs."""
    return "".join(
        f"{line}\n"
        for line in text.splitlines()
        if line and not line.startswith("#") and line.partition("==")[0] not in NOT_THERE
    )


def register_emulator(binfmt: Path = BINFMT, handler: Path = HANDLER) -> None:
    """Let this kernel start ARM programs, those that ARM programs start too.

    Debian does so at boot; containers and machines where qemu was just installed do not.
    """
    if not (binfmt / "register").exists():
        subprocess.run(["mount", "-t", "binfmt_misc", "binfmt_misc", binfmt], check=True)
    if not (binfmt / "qemu-aarch64").exists():
        if not handler.exists():
            raise SystemExit(f"{handler} is missing: sudo apt install qemu-user-static")
        (binfmt / "register").write_text(handler.read_text())


def missing_tools(
    names: tuple[str, ...] = ("mmdebstrap", "qemu-aarch64-static", "unshare"),
) -> list[str]:
    """Programs that have to be installed first; also being root, which mounts need."""
    absent = [name for name in names if shutil.which(name) is None]
    return absent + ([] if os.geteuid() == 0 else ["root (sudo)"])
