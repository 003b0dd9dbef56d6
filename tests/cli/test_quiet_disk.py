"""A memory card is left alone: nothing is written while running, and nothing need be writable."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.service.listening import Supervisor

START_S = 30.0

RUN = (sys.executable, "-m", "edge_runtime", "run", "--source", "demo://?faces=1", "--port", "0")

READ_ONLY = 'mount -o remount,bind,ro / && exec "$@"'


def environ(tmp_path: Path, repository: Path) -> dict[str, str]:
    return {
        "HOME": str(tmp_path),
        "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
        "PYTHONPATH": str(repository),
        # An installation is compiled already; a fresh checkout would be while it runs.
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def written(pid: int) -> int:
    """Bytes that a process and its children, living or waited for, sent towards a disk."""
    lines = Path(f"/proc/{pid}/io").read_text().splitlines()
    return int(dict(line.split(": ") for line in lines)["write_bytes"])


def test_nothing_is_written_in_steady_state(tmp_path: Path, repository: Path) -> None:
    with Supervisor(tmp_path / "notify") as supervisor:
        supervised = environ(tmp_path, repository) | {
            "NOTIFY_SOCKET": supervisor.address,
            "WATCHDOG_USEC": "4000000",
        }
        child = subprocess.Popen(RUN, env=supervised, stderr=subprocess.PIPE, cwd=tmp_path)
        try:
            supervisor.wait_for("WATCHDOG", "1", START_S)
            grown: list[int] = []
            # On a busy machine the start reaches into the first of these: the first reading of a
            # file marks when it was read. Who writes for good does so in all of them.
            while len(grown) < 4 and 0 not in grown:
                before = written(child.pid)
                for _ in range(3):  # seconds, told by frames
                    supervisor.wait_for("WATCHDOG", "1", START_S)
                grown.append(written(child.pid) - before)
            assert grown[-1] == 0, grown
        finally:
            child.kill()
            child.communicate()


def unshared(command: Sequence[str]) -> list[str]:
    return ["unshare", "--mount", "sh", "-c", READ_ONLY, "sh", *command]


@pytest.mark.skipif(os.geteuid() != 0, reason="making / read-only for one process needs root")
@pytest.mark.skipif(shutil.which("unshare") is None, reason="needs unshare (util-linux)")
def test_it_starts_where_nothing_can_be_written(tmp_path: Path, repository: Path) -> None:
    probe = subprocess.run(unshared(["true"]), capture_output=True, text=True, check=False)
    if probe.returncode != 0:
        pytest.skip(f"no mount namespace here: {probe.stderr.strip()}")
    touched = tmp_path / "touched"
    assert subprocess.run(unshared(["touch", str(touched)]), check=False).returncode != 0
    done = subprocess.run(
        unshared([*RUN, "--max-frames", "20"]),
        env=environ(tmp_path, repository),
        capture_output=True,
        text=True,
        timeout=START_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "20 frames" in done.stderr
