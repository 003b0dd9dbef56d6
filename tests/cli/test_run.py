"""``edge-runtime run`` as a user meets it: a process, its lines, its exit code."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import cv2
import numpy as np
import pytest

Run = Callable[..., "subprocess.CompletedProcess[str]"]
COMMAND = [sys.executable, "-m", "edge_runtime", "run"]


@pytest.fixture
def environment(tmp_path: Path, repository: Path) -> dict[str, str]:
    return {"HOME": str(tmp_path), "PYTHONPATH": str(repository), "PATH": "/usr/bin:/bin"}


@pytest.fixture
def run(environment: dict[str, str], tmp_path: Path) -> Run:
    def run_to_its_end(*options: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*COMMAND, *options],
            capture_output=True,
            text=True,
            timeout=30,
            env=environment,
            cwd=tmp_path,
            check=False,
        )

    return run_to_its_end


@pytest.fixture
def demo(environment: dict[str, str]) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start the demo with its page; whatever still runs afterwards is ended."""
    started: list[subprocess.Popen[str]] = []

    def start(*options: str) -> subprocess.Popen[str]:
        command = [*COMMAND, "--source", "demo://?faces=1", "--port", "0", *options]
        child = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
        )
        started.append(child)
        return child

    yield start
    for child in started:
        child.kill()
        child.communicate()


def page_of(child: subprocess.Popen[str]) -> str:
    assert child.stderr is not None
    line = child.stderr.readline()
    assert line.startswith("page: http://127.0.0.1:")
    return line.removeprefix("page: ").strip()


def video(path: Path, frames: int) -> Path:
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 30, (320, 240))
    noise = np.random.default_rng(1)
    for _ in range(frames):
        writer.write(noise.integers(0, 255, (240, 320, 3), np.uint8))
    writer.release()
    return path


def sentence(done: subprocess.CompletedProcess[str]) -> str:
    """The one line a failure says; anything more, a traceback above all, fails the test."""
    said = [line for line in done.stderr.splitlines() if not line.startswith("20")]
    assert len(said) == 1, done.stderr
    return said[0]


def test_two_cameras_of_a_config_and_one_that_is_not_there(run: Run, tmp_path: Path) -> None:
    config = tmp_path / "cameras.toml"
    tables = {"a": "demo://?frames=8&faces=1", "b": str(video(tmp_path / "b.avi", 5)), "c": "c.mp4"}
    config.write_text("\n".join(f'[[camera]]\nname="{n}"\nuri="{u}"' for n, u in tables.items()))
    often = ("--set", "capture.first_retry_s=0.05", "--set", "capture.longest_retry_s=0.1")
    done = run("--config", str(config), "--no-web", "--json", *often)
    line = json.loads(done.stdout)
    assert {name: each["frames"] for name, each in line["cameras"].items()} == {
        "a": 8,
        "b": 5,
        "c": 0,
    }
    assert line["frames"] == 13
    assert "c.mp4 does not exist" in line["problem"]
    assert done.returncode == 3


def test_a_video_is_summed_up_in_one_json_line(run: Run, tmp_path: Path) -> None:
    done = run("--source", str(video(tmp_path / "a.avi", 20)), "--no-web", "--json")
    assert done.returncode == 0
    line = json.loads(done.stdout)
    assert line["frames"] == 20
    assert line["dropped"] == 0
    assert set(line) >= {
        "frames",
        "frames_with_face",
        "faces",
        "fps",
        "dropped",
        "latency_ms",
        "first_result_s",
        "peak_memory_mb",
        "models",
    }
    assert set(line["latency_ms"]["frame"]) == {"p50", "p95", "p99"}


def test_max_frames_ends_the_run(run: Run, tmp_path: Path) -> None:
    file = video(tmp_path / "a.avi", 20)
    done = run("--source", str(file), "--no-web", "--json", "--max-frames", "5")
    assert json.loads(done.stdout)["frames"] == 5


def test_a_truncated_video_is_summed_up_and_said(run: Run, tmp_path: Path) -> None:
    whole = video(tmp_path / "a.avi", 60).read_bytes()
    (tmp_path / "cut.avi").write_bytes(whole[: len(whole) // 2])
    done = run("--source", str(tmp_path / "cut.avi"), "--no-web", "--json")
    assert done.returncode == 3
    assert "cut.avi" in sentence(done)


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (["--source", "pictures:///tmp"], 3, "holds no picture"),
        (["--source", "v4l2:///dev/video99"], 3, "/dev/video99 cannot be opened"),
        (["--source", "webcam://0"], 2, "unknown scheme 'webcam'"),
        (["--source", "demo://", "--set", "web.prot=1"], 2, "did you mean web.port?"),
        (["--source", "demo://", "--set", "detector.model=nobody"], 4, "no model 'nobody'"),
        (["--config", "absent.toml"], 2, "absent.toml"),
    ],
)
def test_what_is_wrong_is_one_line_and_a_code(
    run: Run, tmp_path: Path, options: list[str], code: int, said: str
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    options = [option.replace("/tmp", str(empty)) for option in options]
    done = run(*options, "--no-web")
    assert done.returncode == code, done.stderr
    assert said in sentence(done)


def test_a_busy_port_is_one_line_and_a_code(run: Run) -> None:
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = run("--source", "demo://", "--port", port)
    assert done.returncode == 5
    assert f"port {port} on 127.0.0.1 is taken" in sentence(done)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_within_2_s_though_streams_are_open(
    demo: Callable[..., subprocess.Popen[str]], number: signal.Signals
) -> None:
    child = demo("--json")
    page = page_of(child)
    with (
        urllib.request.urlopen(f"{page}api/v1/stream.mjpg", timeout=10) as pictures,
        urllib.request.urlopen(f"{page}api/v1/live", timeout=10) as events,
    ):
        assert b"image/jpeg" in pictures.read(200)
        assert events.read(20)
        asked_at = time.monotonic()
        child.send_signal(number)
        out, err = child.communicate(timeout=10)
    assert time.monotonic() - asked_at < 2
    assert child.returncode == 0
    assert "Traceback" not in err
    assert json.loads(out)["frames"] > 0


def test_beyond_loopback_there_has_to_be_a_token(run: Run) -> None:
    done = run("--host", "0.0.0.0", "--source", "demo://")
    assert done.returncode == 5
    assert "edge-runtime token new" in done.stderr
    assert done.stderr.count("\n") == 1


def test_beyond_loopback_the_page_asks_for_it(
    demo: Callable[..., subprocess.Popen[str]], environment: dict[str, str]
) -> None:
    made = subprocess.run(
        [*COMMAND[:-1], "token", "new", "--scope", "stats"],
        capture_output=True,
        text=True,
        timeout=30,
        env=environment,
        check=True,
    )
    token = made.stdout.strip()
    child = demo("--host", "0.0.0.0")
    assert child.stderr is not None
    address = child.stderr.readline().removeprefix("page: ").strip()
    assert "token new" in child.stderr.readline()
    port = address.rstrip("/").rpartition(":")[2]
    with pytest.raises(urllib.error.HTTPError, match="401"):
        urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/status", timeout=10)
    headers = {"Authorization": f"Bearer {token}"}
    request = urllib.request.Request(f"http://127.0.0.1:{port}/api/v1/status", headers=headers)
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert json.load(answer)["camera"]["state"] in {"opening", "streaming"}
