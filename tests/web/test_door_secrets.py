"""The door: no secret is said, whoever asks and wherever he looks."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from edge_runtime.web.rights import rules

CANARY = "canary7password"
SOURCE = f"rtsp://me:{CANARY}@127.0.0.1:1/stream?auth_token={CANARY}2"
"""Nobody listens there."""

PYTHON = [sys.executable, "-m", "edge_runtime"]


class Run(NamedTuple):
    """A run that waits for its camera, and knows two secrets: the camera's password and a token."""

    pid: int
    url: str
    token: str
    log: Path
    environment: dict[str, str]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Run]:
    folder = tmp_path_factory.mktemp("run")
    environment = {
        "HOME": str(folder),
        "PATH": "/usr/bin:/bin",
        "PYTHONPATH": str(request.config.rootpath),
    }
    made = subprocess.run(
        [*PYTHON, "token", "new", "--scope", "admin"],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        env=environment,
    )
    settings = ("web.require_token=true", "capture.wait_at_start=true", "capture.first_retry_s=0.2")
    options = [part for setting in settings for part in ("--set", setting)]
    log = folder / "log"
    with log.open("w") as stderr:
        child = subprocess.Popen(
            [*PYTHON, "run", "--source", SOURCE, "--port", "0", "--log-level", "debug", *options],
            stderr=stderr,
            stdout=subprocess.DEVNULL,
            env=environment,
        )
    try:
        url = ""
        pause = threading.Event()
        while child.poll() is None and not url:
            pause.wait(0.05)
            first = log.read_text().partition("\n")
            url = first[0].removeprefix("page: ") if first[1] else ""
        yield Run(child.pid, url, made.stdout.strip(), log, environment)
    finally:
        child.send_signal(signal.SIGTERM)
        child.wait(20)


def told(run: Run, method: str, path: str, *, token: str = "", body: bytes | None = None) -> str:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    headers["Content-Type"] = "application/json"
    url = run.url.rstrip("/") + path
    request = urllib.request.Request(url, body, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            whole = answer.read(3000 if path.endswith(("live", "mjpg")) else None)
            return str(answer.headers) + whole.decode("latin-1")
    except urllib.error.HTTPError as refused:
        return str(refused.headers) + refused.read().decode("latin-1")


def clean(run: Run, text: str) -> None:
    assert CANARY not in text
    assert run.token not in text


@pytest.mark.slow
def test_no_answer_says_one(run: Run) -> None:
    for rule in rules():
        if rule.path.endswith(("/live", "mjpg")):
            continue  # without frames they say the status, which is asked for, and nothing
        path = rule.path.replace("{name:path}", "smile").replace("{version}", "shipped")
        body = None if rule.method == "GET" else b'{"version": "no such"}'
        for token in ("", run.token):
            clean(run, told(run, rule.method, path.replace("{name}", "x"), token=token, body=body))
    camera = json.loads(told(run, "GET", "/api/v1/status", token=run.token).partition("\n\n")[2])
    assert "rtsp://me:***@127.0.0.1" in json.dumps(camera)


@pytest.mark.slow
def test_no_error_page_says_one(run: Run) -> None:
    for path in ("/nothing", f"/?token={run.token}x", "/api/v1/snapshot.jpg?camera=none"):
        clean(run, told(run, "GET", path, token=run.token).replace(f"{run.token}x", ""))
    clean(run, told(run, "POST", "/login", body=b"token=wrong"))
    clean(run, told(run, "POST", "/api/v1/models/x/activate", token=run.token, body=b"{"))


@pytest.mark.slow
def test_the_log_says_none(run: Run) -> None:
    told(run, "GET", f"/api/v1/status?token={run.token}", token=run.token)
    told(run, "POST", "/login", body=f"token={run.token}".encode())
    text = run.log.read_text()
    assert "rtsp://***@127.0.0.1" in text  # it does speak of the camera
    clean(run, text)


@pytest.mark.slow
def test_ps_shows_none(run: Run) -> None:
    assert "--source" in Path(f"/proc/{run.pid}/cmdline").read_text()
    for thread in Path(f"/proc/{run.pid}/task").iterdir():
        clean(run, (thread / "cmdline").read_text() + (thread / "comm").read_text())


@pytest.mark.slow
def test_no_file_holds_one(run: Run) -> None:
    kept = [each for each in Path(run.environment["HOME"]).rglob("*") if each.is_file()]
    assert [each.name for each in kept if each.parent.name == "edge-runtime"] == ["web-tokens.json"]
    for each in kept:
        clean(run, each.read_text(errors="replace"))


def test_config_show_says_none(run: Run) -> None:
    done = subprocess.run(
        [*PYTHON, "config", "show", "--set", f"source.uri={SOURCE}"],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        env=run.environment,
    )
    assert "me:***@127.0.0.1" in done.stdout
    clean(run, done.stdout + done.stderr)


def test_what_is_wrong_says_none(run: Run) -> None:
    for options in (["run", "--source", SOURCE], ["run", "--source", SOURCE.replace("rtsp", "x")]):
        done = subprocess.run(
            [*PYTHON, *options, "--no-web"],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            env=run.environment,
        )
        assert done.returncode != 0
        assert done.stderr
        clean(run, done.stdout + done.stderr)
