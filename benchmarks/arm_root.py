"""An ARM Debian to run under emulation: unpacked without its scripts, our libraries beside it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

GLIBC = "manylinux2014 manylinux_2_17 manylinux_2_26 manylinux_2_27 manylinux_2_28 manylinux_2_34"
"""Wheels for these run on bookworm and later; pip does not take an older one for granted."""


def unpack_debian(root: Path, suite: str, packages: Sequence[str]) -> None:
    """Debian's ``suite`` for arm64 in ``root``: seconds, as no package's script is run."""
    root.parent.mkdir(parents=True, exist_ok=True)  # mmdebstrap makes the last folder only
    included = f"--include={','.join(packages)}"
    run("mmdebstrap", "--quiet", "--arch=arm64", "--variant=extract", included, suite, root)


def install_wheels(target: Path, python: str, *wanted: str) -> None:
    """ARM wheels for ``python`` (such as 3.11) in ``target``; ``wanted`` are pip's arguments."""
    platforms = [f"--platform={each}_aarch64" for each in GLIBC.split()]
    release = f"--python-version={python}"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    arm = ["--only-binary=:all:", "--implementation=cp", release, *platforms]
    run(*pip, *arm, "--target", target, *wanted)


def run(*command: str | Path, environ: dict[str, str] | None = None) -> str:
    """What a command wrote to stderr; ends the program when it failed."""
    done = subprocess.run(
        list(map(str, command)), env=environ, stderr=subprocess.PIPE, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"{command[0]} failed with {done.returncode}:\n{done.stderr[-2000:]}")
    return done.stderr
