"""What ``ps`` shows of this program's arguments."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from edge_runtime.service.title import hide_secrets


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    # The name of a program may hold spaces and brackets; field 48 is where its arguments begin.
    fields = " ".join(str(number) for number in range(3, 53))
    (tmp_path / "stat").write_text(f"7 (edge) run) {fields}\n")
    return tmp_path


def hidden(proc: Path, *arguments: str) -> tuple[bool, bytes]:
    """Whether something was found, and what lies in memory where arguments begin."""
    (proc / "cmdline").write_bytes(b"".join(each.encode() + b"\0" for each in arguments))
    (proc / "mem").write_bytes(b"." * 48)
    return hide_secrets(proc), (proc / "mem").read_bytes()[48:]


def test_a_password_is_overwritten_where_it_lies(proc: Path) -> None:
    found, content = hidden(proc, "run", "--source", "rtsp://me:canary7@yard/s", "--no-web")
    assert found
    assert content == b"run\0--source\0rtsp://me:***@yard/s    \0--no-web\0"


@pytest.mark.parametrize(
    "argument",
    [
        "--source=rtsp://me:canary7@yard/s",
        "source.uri=http://c/?token=canary7",
        "--token=ert_canary7",
    ],
)
def test_wherever_it_stands(proc: Path, argument: str) -> None:
    _, content = hidden(proc, "run", argument)
    assert b"canary7" not in content
    assert len(content) == len(argument) + len("run") + 2


def test_a_short_password_moves_nothing_either(proc: Path) -> None:
    _, content = hidden(proc, "rtsp://me:a@yard/s", "--no-web")
    assert content.endswith(b"\0--no-web\0")
    assert content.startswith(b"rtsp://me:***@yard")


def test_where_there_is_no_password_nothing_is_written(proc: Path) -> None:
    assert hidden(proc, "run", "--source", "rtsp://yard/s") == (False, b"")


def test_what_cannot_be_hidden_is_said(proc: Path, caplog: pytest.LogCaptureFixture) -> None:
    (proc / "stat").write_text("7 (edge) " + "0 " * 50)
    assert hidden(proc, "rtsp://me:canary7@yard/s") == (True, b"")
    assert "put it into the config" in caplog.text
    assert "canary7" not in caplog.text


def test_a_real_process_hides_its_own() -> None:
    script = (
        "from edge_runtime.service.title import hide_secrets; hide_secrets();"
        "print(open('/proc/self/cmdline').read().split(chr(0))[-3:])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, "rtsp://me:canary7@yard/s", "last"],
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    assert done.stdout.strip() == "['rtsp://me:***@yard/s    ', 'last', '']"
