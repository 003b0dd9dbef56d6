"""The update as it is typed, and its rescue as the boot runs it: real processes, real dpkg and apt.

In a mount namespace, where ``/var/lib`` and ``/run`` are the test's own; dpkg works in a root of
its own, and systemd is a script that says that the service is stopped.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from edge_runtime.update.archive import archive
from edge_runtime.update.keep import FOLDER, RESCUE
from tests.update.debian import SETTINGS, TREE, Debian, deb

OWN_FOLDERS = """
set -e
mount -t tmpfs none /var/lib && mkdir -p {folder} && mount --bind {kept} {folder}
mount -t tmpfs none /run && mkdir -p /run/systemd/system
exec "$@"
"""

SYSTEMCTL = """#!/bin/sh
case " $* " in
    *" show "*) printf 'LoadState=loaded\\nActiveState=inactive\\nResult=success\\n' ;;
esac
"""

KILLS_ALL = """#!/bin/sh
pid=$PPID all=
while [ "$pid" -gt 1 ]; do
    all="$all $pid"
    grep -q edge-runtime-update.pyz "/proc/$pid/cmdline" && break
    pid=$(ps -o ppid= -p "$pid" | tr -d ' ')
done
kill -9 $all
"""
"""A script of a package at which the power goes: dpkg, apt and the update die together."""


def can_unshare() -> bool:
    if os.geteuid() != 0 or shutil.which("unshare") is None or shutil.which("apt-get") is None:
        return False
    probe = ["unshare", "--mount", "mount", "-t", "tmpfs", "none", "/run"]
    return subprocess.run(probe, capture_output=True, check=False).returncode == 0


needs_namespace = pytest.mark.skipif(
    not can_unshare(), reason="needs root, mount namespaces, dpkg and apt"
)


class Machine:
    """Runs commands where ``debian`` is what is installed."""

    def __init__(self, folder: Path, repository: Path) -> None:
        self.debian = Debian(folder / "root")
        self.kept = folder / "kept"
        self.kept.mkdir()
        self._repository, self._programs = repository, folder / "bin"
        self._programs.mkdir()
        self._script("systemctl", SYSTEMCTL)
        for name, more in self.debian.arguments().items():
            real, words = shutil.which(name), " ".join(more)
            self._script(name, f'#!/bin/sh\nexec {real} {words} "$@"\n')

    def _script(self, name: str, text: str) -> None:
        (self._programs / name).write_text(text)
        (self._programs / name).chmod(0o755)

    def run(self, *words: str | Path) -> subprocess.CompletedProcess[str]:
        mounts = OWN_FOLDERS.format(folder=FOLDER, kept=self.kept)
        return subprocess.run(
            ["unshare", "--mount", "sh", "-c", mounts, "sh", *map(str, words)],
            env={
                "PATH": f"{self._programs}:/usr/sbin:/usr/bin:/sbin:/bin",
                "HOME": str(self.kept),
                "PYTHONPATH": str(self._repository),
            },
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            start_new_session=True,
        )

    def update(self, *words: str | Path) -> subprocess.CompletedProcess[str]:
        return self.run(sys.executable, "-m", "edge_runtime", "update", *words)

    def boot(self, repository: Path) -> subprocess.CompletedProcess[str] | None:
        """What edge-runtime-update.service does, as its unit says."""
        unit = (repository / "systemd/edge-runtime-update.service").read_text()
        said = dict(re.findall(r"(?m)^(ConditionPathExists|ExecStart)=(.*)$", unit))
        condition = Path(said["ConditionPathExists"])
        assert condition.parent == FOLDER
        return (
            self.run(*said["ExecStart"].split()) if (self.kept / condition.name).exists() else None
        )


@pytest.fixture
def machine(tmp_path: Path, repository: Path) -> Machine:
    return Machine(tmp_path, repository)


@needs_namespace
def test_there_and_back(machine: Machine, tmp_path: Path, repository: Path) -> None:
    assert machine.update("--status").stdout == "no update was made here yet\n"
    machine.run("dpkg", "--install", deb(tmp_path, "1.0.0"))
    (machine.debian.root / SETTINGS).write_text("# mine\n")
    done = machine.update(deb(tmp_path, "1.1.0"))
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[:3] == [
        "1.0.0 is installed, 1.1.0 is offered",
        "packing the installed 1.0.0, as a way back",
        "installing 1.1.0",
    ]
    assert machine.debian.text(TREE) == "version = '1.1.0'\n"
    assert machine.boot(repository) is None
    assert "kept: 1.0.0" in machine.update("--status").stdout
    done = machine.update("--rollback")
    assert done.returncode == 0, done.stderr
    assert machine.debian.text(TREE) == "version = '1.0.0'\n"
    assert machine.debian.text(SETTINGS) == "# mine\n"


@needs_namespace
def test_everything_dies_in_the_midst_and_the_boot_mends_it(
    machine: Machine, tmp_path: Path, repository: Path
) -> None:
    machine.run("dpkg", "--install", deb(tmp_path, "1.0.0"))
    new = deb(tmp_path, "1.1.0", scripts={"postinst": KILLS_ALL})
    done = machine.update(new)
    assert done.returncode == -9
    assert machine.debian.text(TREE) == "version = '1.1.0'\n"
    told = machine.update("--status")
    assert (told.returncode, told.stdout.splitlines()[0]) == (1, "installing: from 1.0.0 to 1.1.0")
    refused = machine.update(new)
    assert (refused.returncode, "has to be finished first" in refused.stderr) == (11, True)
    booted = machine.boot(repository)
    assert booted is not None
    assert booted.returncode == 0, booted.stderr
    assert "1.0.0 is installed again" in booted.stdout
    assert machine.debian.text(TREE) == "version = '1.0.0'\n"
    assert machine.boot(repository) is None


@needs_namespace
def test_a_version_that_cannot_be_configured(machine: Machine, tmp_path: Path) -> None:
    machine.run("dpkg", "--install", deb(tmp_path, "1.0.0"))
    new = deb(tmp_path, "1.1.0", scripts={"postinst": "#!/bin/sh\nexit 1\n"})
    done = machine.update(new)
    assert done.returncode == 12, done.stderr
    assert done.stderr.startswith("edge-runtime: 1.1.0 was given up: it could not be installed: ")
    assert machine.debian.text(TREE) == "version = '1.0.0'\n"


@needs_namespace
def test_a_wrong_checksum_changes_nothing(machine: Machine, tmp_path: Path) -> None:
    machine.run("dpkg", "--install", deb(tmp_path, "1.0.0"))
    new = deb(tmp_path, "1.1.0")
    done = machine.update(new, "--sha256", "ab" * 32)
    assert done.returncode == 11
    assert done.stderr == (
        "edge-runtime: that file is not the expected one: its SHA-256 is "
        f"{hashlib.sha256(new.read_bytes()).hexdigest()}\n"
    )
    assert machine.debian.text(TREE) == "version = '1.0.0'\n"
    assert list(machine.kept.glob("*.deb")) == []


def test_the_rescue_needs_nothing_but_the_standard_library(tmp_path: Path) -> None:
    program = tmp_path / RESCUE
    program.write_bytes(archive())
    assert program.read_bytes() == archive()
    probe = (
        "import runpy, sys\n"
        f"try: runpy.run_path({str(program)!r}, run_name='__main__')\n"
        "except SystemExit: pass\n"
        "ours = [m for n, m in sys.modules.items() if n.partition('.')[0] == 'edge_runtime']\n"
        f"print(len(ours), all({RESCUE!r} in (m.__file__ or '') for m in ours))\n"
    )
    # -S: without site-packages, as where they are half gone.
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", probe], capture_output=True, text=True, check=False
    )
    count, all_from_the_zip = done.stdout.split()
    assert int(count) > 15, done.stderr
    assert all_from_the_zip == "True"
