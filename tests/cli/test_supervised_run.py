"""``edge-runtime run`` as systemd meets it: a notify socket, a signal, a socket handed over."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from tests.service.listening import Supervisor

START_S = 30.0
"""Far longer than a start takes: a machine under load is no defect."""

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Supervisor]:
    with Supervisor(tmp_path / "notify") as made:
        yield made


@pytest.fixture
def start(tmp_path: Path, repository: Path, supervisor: Supervisor) -> Iterator[Start]:
    """Start the demo under the supervisor; what still runs afterwards is ended."""
    environ = {
        "HOME": str(tmp_path),
        "PATH": "/usr/bin:/bin",
        "PYTHONPATH": str(repository),
        "NOTIFY_SOCKET": supervisor.address,
        "WATCHDOG_USEC": "2000000",
    }
    started: list[subprocess.Popen[str]] = []

    def begin(
        *options: str, prefix: Sequence[str] = (), keeps: Sequence[int] = ()
    ) -> subprocess.Popen[str]:
        run = [sys.executable, "-m", "edge_runtime", "run", "--source", "demo://?faces=1"]
        child = subprocess.Popen(
            [*prefix, *run, *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environ,
            cwd=tmp_path,
            pass_fds=keeps,
        )
        started.append(child)
        return child

    yield begin
    for child in started:
        child.kill()
        child.communicate()


def test_it_is_ready_alive_and_stops_when_told(start: Start, supervisor: Supervisor) -> None:
    child = start("--no-web")
    supervisor.wait_for("READY", "1", START_S)
    supervisor.wait_for("WATCHDOG", "1", START_S)
    child.send_signal(signal.SIGTERM)
    supervisor.wait_for("STOPPING", "1", START_S)
    _, said = child.communicate(timeout=START_S)
    assert child.returncode == 0, said


def test_a_hang_goes_silent_and_its_end_tells_where(start: Start, supervisor: Supervisor) -> None:
    child = start("--no-web")
    supervisor.wait_for("READY", "1", START_S)
    child.send_signal(signal.SIGSTOP)
    supervisor.messages()
    with pytest.raises(TimeoutError):
        supervisor.wait_for("WATCHDOG", "1", 1.0)
    # What systemd does then: SIGABRT, and on with it.
    child.send_signal(signal.SIGABRT)
    child.send_signal(signal.SIGCONT)
    _, said = child.communicate(timeout=START_S)
    assert child.returncode == -signal.SIGABRT
    assert "Fatal Python error: Aborted" in said
    assert "in _loop" in said


HAND_OVER = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()))
os.execv(sys.argv[2], sys.argv[2:])
"""
"""What systemd does between fork and exec."""


def test_the_page_is_served_on_a_socket_handed_over(start: Start, supervisor: Supervisor) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        number = listening.fileno()
        start("--port", "1", prefix=(sys.executable, "-c", HAND_OVER, str(number)), keeps=[number])
        supervisor.wait_for("READY", "1", START_S)
        address = f"http://127.0.0.1:{listening.getsockname()[1]}/healthz"
        with urllib.request.urlopen(address, timeout=START_S) as answer:
            assert answer.status == 200


def test_a_hangup_reads_the_settings_again_or_keeps_the_old(
    start: Start, supervisor: Supervisor, tmp_path: Path
) -> None:
    config = tmp_path / "config.toml"
    config.write_text("[detector]\nthreshold = 0.6\n")
    child = start("--no-web", "--config", str(config))
    supervisor.wait_for("READY", "1", START_S)
    config.write_text("[detector]\nthreshold = 2\n")
    child.send_signal(signal.SIGHUP)
    supervisor.wait_for("RELOADING", "1", START_S)
    assert "settings refused" in supervisor.wait_for("READY", "1", START_S)["STATUS"]
    config.write_text("[detector]\nthreshold = 0.7\n[web]\nport = 9000\n")
    child.send_signal(signal.SIGHUP)
    supervisor.wait_for("RELOADING", "1", START_S)
    assert supervisor.wait_for("READY", "1", START_S)["STATUS"] == "settings read again"
    supervisor.wait_for("WATCHDOG", "1", START_S)  # and frames go on
    child.send_signal(signal.SIGTERM)
    _, said = child.communicate(timeout=START_S)
    assert child.returncode == 0, said
    assert "in force now: detector.threshold" in said
    assert "needs a restart to take effect: web.port" in said
