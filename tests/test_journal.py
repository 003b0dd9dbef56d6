from __future__ import annotations

import io
import logging
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_runtime.journal import (
    JournalHandler,
    journal_entry,
    mask_secrets,
    room_of,
    set_up_logging,
    under_journal,
)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def untouched_root() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def listener(tmp_path: Path) -> Iterator[tuple[Path, socket.socket]]:
    """Stands in for journald."""
    address = tmp_path / "socket"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(address))
        listening.settimeout(2)
        yield address, listening


def fields_of(datagram: bytes) -> dict[str, str]:
    """What journald makes of a datagram (systemd.io, Native Journal Protocol)."""
    fields = {}
    while datagram:
        line, _, rest = datagram.partition(b"\n")
        if b"=" in line:
            name, _, value = line.partition(b"=")
            datagram = rest
        else:
            name, size = line, int.from_bytes(rest[:8], "little")
            value, datagram = rest[8 : 8 + size], rest[8 + size + 1 :]
        fields[name.decode()] = value.decode()
    return fields


def test_a_terminal_gets_one_line_with_time_level_room_and_sentence() -> None:
    stream = Terminal()
    set_up_logging("info", {}, stream)
    logging.getLogger("edge_runtime.capture.v4l2").warning("%s is gone", "/dev/video0")
    line = stream.getvalue()
    assert re.fullmatch(r"\d\d:\d\d:\d\d WARNING capture: /dev/video0 is gone\n", line)


def test_a_file_gets_the_date_too() -> None:
    stream = io.StringIO()
    set_up_logging("info", {}, stream)
    logging.getLogger("edge_runtime.app").info("started")
    assert re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d INFO    app: started\n", stream.getvalue())


def test_the_level_is_kept() -> None:
    stream = io.StringIO()
    set_up_logging("warning", {}, stream)
    logging.getLogger("edge_runtime.app").info("not said")
    assert stream.getvalue() == ""


def test_setting_up_twice_says_everything_once() -> None:
    stream = io.StringIO()
    set_up_logging("info", {}, io.StringIO())
    set_up_logging("info", {}, stream)
    logging.getLogger("edge_runtime.app").info("once")
    assert stream.getvalue().count("once") == 1
    assert sum(getattr(h, "of_edge_runtime", False) for h in logging.getLogger().handlers) == 1


def test_the_web_server_says_nothing_below_a_warning() -> None:
    stream = io.StringIO()
    set_up_logging("debug", {}, stream)
    logging.getLogger("uvicorn.error").info("Started server process")
    logging.getLogger("uvicorn.error").warning("odd request")
    assert "Started" not in stream.getvalue()
    assert "odd request" in stream.getvalue()


def test_native_libraries_are_quietened_unless_the_user_chose() -> None:
    environ = {"OPENCV_LOG_LEVEL": "DEBUG"}
    set_up_logging("info", environ, io.StringIO())
    assert environ["OPENCV_LOG_LEVEL"] == "DEBUG"
    assert environ["OPENCV_FFMPEG_LOGLEVEL"] == "8"


def test_opencv_is_quiet_about_a_file_that_is_no_video(tmp_path: Path) -> None:
    code = (
        "import os, sys\n"
        "from edge_runtime.journal import quieten_libraries\n"
        "quieten_libraries(os.environ)\n"
        "import cv2\n"
        "assert not cv2.VideoCapture(sys.argv[1], cv2.CAP_FFMPEG).isOpened()\n"
    )
    (tmp_path / "torn.mp4").write_bytes(b"\0" * 4096)
    clean = {k: v for k, v in os.environ.items() if not k.startswith("OPENCV_")}
    said = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "torn.mp4")],
        env=clean,
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    assert said.stderr == ""


def test_tracebacks_are_masked_too() -> None:
    stream = io.StringIO()
    set_up_logging("info", {}, stream)
    try:
        raise OSError("cannot open rtsp://admin:hunter2@10.0.0.9/live")
    except OSError:
        logging.getLogger("edge_runtime.capture").exception("camera failed")
    assert "hunter2" not in stream.getvalue()
    assert "rtsp://***@10.0.0.9/live" in stream.getvalue()


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("GET /?token=abc123&x=1", "GET /?token=***&x=1"),
        ("opened /login#ert_abc-123_x now", "opened /login#ert_*** now"),
        ("Authorization: Bearer abc.def", "Authorization: Bearer ***"),
        ("{'authorization': 'Basic YTpi'}", "{'authorization': 'Basic ***'}"),
        ("rtsp://user@cam/1", "rtsp://***@cam/1"),
        ("rtsp://u:p@ss@cam/1", "rtsp://***@cam/1"),
        ("mqtt_password = hunter2, next", "mqtt_password = ***, next"),
        ("page at http://127.0.0.1:8000/", "page at http://127.0.0.1:8000/"),
        (
            "the token is kept in /var/lib/edge-runtime",
            "the token is kept in /var/lib/edge-runtime",
        ),
        ("mail to a@b.c about http://x/y", "mail to a@b.c about http://x/y"),
    ],
)
def test_secrets_are_masked_and_nothing_else(text: str, masked: str) -> None:
    assert mask_secrets(text) == masked


SECRET = st.from_regex(r"S3CR[A-Za-z0-9_.~-]{4,20}T", fullmatch=True)


@given(
    before=st.text(max_size=20), secret=SECRET, user=st.from_regex(r"[a-z]{1,8}", fullmatch=True)
)
def test_no_password_of_a_uri_survives(before: str, secret: str, user: str) -> None:
    text = f"{before} rtsp://{user}:{secret}@camera.local/live failed, token={secret}"
    assert secret not in mask_secrets(text)


def test_the_journal_gets_fields(listener: tuple[Path, socket.socket]) -> None:
    address, listening = listener
    logger = logging.getLogger("edge_runtime.capture.reopen")
    handler = JournalHandler(address)
    logger.addHandler(handler)
    try:
        logger.error("lost\nfor good", extra={"EDGE_RUNTIME_CAMERA": "rtsp://a:b@c/1"})
    finally:
        logger.removeHandler(handler)
        handler.close()
    fields = fields_of(listening.recv(65536))
    assert fields["MESSAGE"] == "lost\nfor good"
    assert fields["PRIORITY"] == "3"
    assert fields["EDGE_RUNTIME_ROOM"] == "capture"
    assert fields["EDGE_RUNTIME_CAMERA"] == "rtsp://***@c/1"
    assert fields["CODE_FUNC"] == "test_the_journal_gets_fields"
    assert fields["SYSLOG_IDENTIFIER"] == "edge-runtime"


@pytest.mark.parametrize(
    ("level", "priority"),
    [("DEBUG", "7"), ("INFO", "6"), ("WARNING", "4"), ("ERROR", "3"), ("CRITICAL", "2")],
)
def test_levels_become_syslog_priorities(level: str, priority: str) -> None:
    number = getattr(logging, level)
    record = logging.LogRecord("edge_runtime.app", number, "x.py", 1, "token=abc", None, None)
    fields = fields_of(journal_entry(record))
    assert fields["PRIORITY"] == priority
    assert fields["MESSAGE"] == "token=***"


def test_a_huge_message_still_fits_a_datagram() -> None:
    record = logging.LogRecord("a", logging.INFO, "x.py", 1, "é" * 1_000_000, None, None)
    assert len(journal_entry(record)) < 100_000


def test_systemd_is_known_by_the_stream_it_connected(tmp_path: Path) -> None:
    with (tmp_path / "err").open("w") as stream:
        found = os.fstat(stream.fileno())
        ours = {"JOURNAL_STREAM": f"{found.st_dev}:{found.st_ino}"}
        assert under_journal(ours, stream)
        assert not under_journal({"JOURNAL_STREAM": "1:2"}, stream)
        assert not under_journal({}, stream)
    assert not under_journal(ours, io.StringIO())


def test_under_systemd_lines_go_to_the_journal_and_not_to_stderr(
    tmp_path: Path, listener: tuple[Path, socket.socket]
) -> None:
    address, listening = listener
    with (tmp_path / "err").open("w") as stream:
        found = os.fstat(stream.fileno())
        environ = {"JOURNAL_STREAM": f"{found.st_dev}:{found.st_ino}"}
        set_up_logging("info", environ, stream, journal=address)
        logging.getLogger("edge_runtime.app").info("started")
    assert fields_of(listening.recv(65536))["MESSAGE"] == "started"
    assert (tmp_path / "err").read_text() == ""


def test_without_the_journals_socket_stderr_is_used(tmp_path: Path) -> None:
    with (tmp_path / "err").open("w") as stream:
        found = os.fstat(stream.fileno())
        environ = {"JOURNAL_STREAM": f"{found.st_dev}:{found.st_ino}"}
        set_up_logging("info", environ, stream, journal=tmp_path / "absent")
        logging.getLogger("edge_runtime.app").info("started")
    assert "app: started" in (tmp_path / "err").read_text()


def test_a_journal_that_went_away_does_not_break_the_program(
    listener: tuple[Path, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    address, listening = listener
    handler = JournalHandler(address)
    listening.close()
    monkeypatch.setattr(logging, "raiseExceptions", False)
    handler.handle(logging.LogRecord("a", logging.INFO, "x.py", 1, "said", None, None))
    handler.close()


@pytest.mark.parametrize(
    ("logger", "room"),
    [
        ("edge_runtime.capture.v4l2", "capture"),
        ("edge_runtime.pipeline", "pipeline"),
        ("uvicorn.error", "uvicorn.error"),
        ("edge_runtime", "edge_runtime"),
        ("root", "root"),
    ],
)
def test_a_logger_belongs_to_a_room(logger: str, room: str) -> None:
    assert room_of(logger) == room
