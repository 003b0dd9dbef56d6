"""A Debian trixie for arm64 with the package, emulated whole, is mistreated.

    python -m tests.vm --deb build/edge-runtime_0.1.0_arm64.deb
    python -m tests.vm --deb FILE --only ready_in_time page_with_token

Needs root and, from Debian, ``apt-get install --no-install-recommends qemu-system-arm
qemu-user-static mmdebstrap e2fsprogs kmod cpio``. Prints a line for each check and ends with 1 when
one failed. The machine's own clock counts instructions, so a busy host makes no check fail.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.proof import Check, Outcome, exit_code_of, prove, write_junit
from tests.vm import cameras, failures, running, upgrades
from tests.vm.initrd import make_initrd
from tests.vm.machine import Boot, Machine
from tests.vm.packages import make_packages
from tests.vm.root import install_package, make_disk, make_root
from tests.vm.service import Service

CHECKS: tuple[Check[Service], ...] = (
    running.boots,
    running.installed,
    running.ready_in_time,
    running.settles,
    running.page_with_token,
    running.refused_without_token,
    running.hardened,
    running.writes_nothing,
    failures.killed,
    failures.hanging,
    failures.own_memory_limit,
    failures.out_of_memory,
    failures.full_disk,
    failures.bad_settings,
    cameras.reads_vivid,
    cameras.survives_unplugging,
    cameras.back_to_the_demo,
    cameras.libcamera_answers,
    upgrades.upgraded,
    upgrades.broken_upgrade_taken_back,
    upgrades.power_cut,
    upgrades.downgraded,
    failures.clean_stop,
    upgrades.purged,
)
ALWAYS = (running.boots, running.installed, running.ready_in_time)
"""What every other check stands on."""

ROOT_MB, PACKAGES_MB = 4096, 2048


def chosen(only: Sequence[str]) -> tuple[Check[Service], ...]:
    """The checks of these names and what they need; all of them without a name."""
    names = {check.__name__: check for check in CHECKS}
    if unknown := [name for name in only if name not in names]:
        raise SystemExit(f"no check is called {', '.join(unknown)}; known: {', '.join(names)}")
    wanted = {names[name] for name in only} | set(ALWAYS) if only else set(CHECKS)
    return tuple(check for check in CHECKS if check in wanted)


def prepare(work: Path, deb: Path) -> Boot:
    """Disks of Debian with the package, and of further packages; Debian itself is made once."""
    base, root, packages = work / "debian", work / "root", work / "packages"
    disk, initrd = work / "root.img", work / "initrd.gz"
    if not initrd.exists():
        make_root(base)
        make_initrd(base, initrd, work / "initrd")
    shutil.rmtree(root, ignore_errors=True)
    subprocess.run(["cp", "--archive", "--reflink=auto", base, root], check=True)
    install_package(root, deb)
    make_disk(root, disk, "root", ROOT_MB)
    make_packages(deb, packages)
    make_disk(packages, work / "packages.img", "packages", PACKAGES_MB)
    kernel = next((root / "boot").glob("vmlinuz-*"))
    return Boot(kernel, initrd, (disk, work / "packages.img"), work / "console.log")


def say(line: str) -> None:
    print(line, flush=True)


def keeper(junit: Path | None) -> Callable[[Sequence[Outcome]], None]:
    """Writes the results to that file, if there is one."""

    def keep(outcomes: Sequence[Outcome]) -> None:
        if junit is not None:
            write_junit(junit, "vm", outcomes)

    return keep


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--deb", type=Path, required=True)
    parser.add_argument("--work", type=Path, default=Path("build/vm"))
    parser.add_argument("--junit", type=Path)
    parser.add_argument("--only", nargs="+", default=[], metavar="CHECK")
    given = parser.parse_args(arguments)
    checks = chosen(given.only)
    given.work.mkdir(parents=True, exist_ok=True)
    with Machine(prepare(given.work.resolve(), given.deb)) as machine:
        outcomes = prove(checks, Service(machine), say=say, keep=keeper(given.junit))
    print(f"{sum(o.passed for o in outcomes)} of {len(outcomes)} passed")
    return exit_code_of(outcomes)


if __name__ == "__main__":
    sys.exit(main())
