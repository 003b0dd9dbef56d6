"""Real dpkg and apt over a root of their own, and small packages with our name to install there."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Final

from edge_runtime.service.systemctl import run_program

KILLS_DPKG: Final = '#!/bin/sh\nkill -9 "$(ps -o ppid= -p $$ | tr -d " ")"\n'
"""A maintainer script at which the power goes, as far as dpkg is concerned."""

TREE: Final = "usr/lib/edge-runtime/engine.py"
SETTINGS: Final = "etc/edge-runtime/config.toml"
SHIPPED: Final = "usr/share/edge-runtime/config.toml"


class Debian:
    """``run`` sends the commands of an update into ``root`` instead of this machine."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._database = root / "var/lib/dpkg"
        for folder in ("info", "updates", "triggers"):
            (self._database / folder).mkdir(parents=True)
        for name in ("status", "available"):
            (self._database / name).touch()
        for folder in ("etc/apt/apt.conf.d", "etc/apt/preferences.d", "etc/apt/sources.list.d"):
            (root / folder).mkdir(parents=True)
        for folder in (
            "var/lib/apt/lists/partial",
            "var/cache/apt/archives/partial",
            "var/log/apt",
        ):
            (root / folder).mkdir(parents=True)
        # No power is cut here, only dpkg is killed: syncing would be waiting for nothing.
        forced = ("--force-script-chrootless", "--force-unsafe-io")
        self._dpkg = ("--root", str(root), *forced, "--log", "/dev/null")

    def run(self, words: Sequence[str]) -> subprocess.CompletedProcess[str]:
        place = next(i for i, word in enumerate(words) if word != "env" and "=" not in word)
        before, program, rest = words[:place], words[place], words[place + 1 :]
        return run_program((*before, program, *self.arguments().get(program, ()), *rest))

    def arguments(self) -> dict[str, tuple[str, ...]]:
        """Program to what has to be said first, so that it works in the root."""
        options = (
            f"Dir={self.root}",
            f"Dir::State::status={self._database}/status",
            "Dir::Etc::Parts=/dev/null",
            "Dir::Bin::dpkg=/usr/bin/dpkg",
            "APT::Sandbox::User=root",
            *(f"Dpkg::Options::={word}" for word in self._dpkg),
        )
        return {
            "dpkg": self._dpkg,
            "dpkg-query": (f"--admindir={self._database}",),
            "apt-get": tuple(word for option in options for word in ("-o", option)),
        }

    def text(self, name: str) -> str:
        return (self.root / name).read_text()


@cache
def architecture() -> str:
    """Of this machine."""
    return run_program(("dpkg", "--print-architecture")).stdout.strip()


def deb(
    folder: Path,
    version: str,
    *,
    settings: str = "# as shipped\n",
    scripts: Mapping[str, str] | None = None,
    depends: str = "",
) -> Path:
    """A package of ``version`` with a program, settings, and links among its files."""
    staged = folder / f"staged-{version}"
    files = {TREE: f"version = {version!r}\n", SETTINGS: settings, SHIPPED: settings}
    for name, text in files.items():
        (staged / name).parent.mkdir(parents=True, exist_ok=True)
        (staged / name).write_text(text)
    (staged / "usr/lib/edge-runtime/current.py").symlink_to("engine.py")
    control = staged / "DEBIAN"
    control.mkdir()
    (control / "control").write_text(
        f"Package: edge-runtime\nVersion: {version}\nArchitecture: {architecture()}\n"
        "Maintainer: nobody <nobody@edge-runtime.example>\nInstalled-Size: 4\n"
        f"{f'Depends: {depends}' if depends else 'Section: video'}\n"
        "Description: for tests\n of updates\n"
    )
    (control / "conffiles").write_text(f"/{SETTINGS}\n")
    sums = (f"{hashlib.md5(text.encode()).hexdigest()}  {name}\n" for name, text in files.items())
    (control / "md5sums").write_text("".join(sums))
    for name, text in (scripts or {}).items():
        (control / name).write_text(text)
        (control / name).chmod(0o755)
    out = folder / f"edge-runtime_{version}_{architecture()}.deb"
    run_program(("dpkg-deb", "--root-owner-group", "-Znone", "--build", str(staged), str(out)))
    shutil.rmtree(staged)
    return out
