"""Packages for the upgrade checks: the shipped one under other versions, one of them broken."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

NEXT, BROKEN, SUITE_PYTHON = "9.1.0", "9.2.0", "py3.13"
"""Later than any real version."""


def make_packages(deb: Path, folder: Path) -> None:
    """``current.deb``, ``next.deb`` and ``broken.deb`` in ``folder``.

    The later two hold the libraries of one Python only and are not compressed: unpacking is not
    what they are for.
    """
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(deb, folder / "current.deb")
    unpacked = folder / "unpacked"
    shutil.rmtree(unpacked, ignore_errors=True)
    _run("dpkg-deb", "--raw-extract", deb, unpacked)
    for libraries in (unpacked / "usr/lib/edge-runtime").glob("py*"):
        if libraries.name != SUITE_PYTHON:
            shutil.rmtree(libraries)
    _pack(unpacked, NEXT, folder / "next.deb")
    break_program(unpacked / f"usr/lib/edge-runtime/{SUITE_PYTHON}/edge_runtime/cli/run.py")
    _pack(unpacked, BROKEN, folder / "broken.deb")
    shutil.rmtree(unpacked)


def set_version(control: str, version: str) -> str:
    """The control file's text with another version."""
    changed, count = re.subn(r"(?m)^Version: .*$", f"Version: {version}", control)
    if count != 1:
        raise ValueError(f"a control file names its version once, this one {count} times")
    return changed


def break_program(file: Path) -> None:
    """It installs, is compiled, and ends with a traceback as soon as it is started."""
    text = file.read_text()
    future = "from __future__ import annotations\n"
    if future not in text:
        raise ValueError(f"{file} does not begin as expected")
    broken = 'raise RuntimeError("broken on purpose, to see an update taken back")\n'
    file.write_text(text.replace(future, f"{future}\n{broken}", 1))


def _pack(folder: Path, version: str, deb: Path) -> None:
    control = folder / "DEBIAN/control"
    control.write_text(set_version(control.read_text(), version))
    sums = folder / "DEBIAN/md5sums"  # of files that are no longer there
    sums.unlink(missing_ok=True)
    _run("dpkg-deb", "--root-owner-group", "-Znone", "--build", folder, deb)


def _run(*command: str | Path) -> None:
    subprocess.run(list(map(str, command)), check=True, stdout=subprocess.DEVNULL)
