"""What only a real server shows: stuck sockets, many viewers, and an end in time."""

from __future__ import annotations

import http.client
import socket
from pathlib import Path

import pytest

from tests.web.conftest import FPS, LiveService
from tests.web.fake_status import snapshot


def ask(service: LiveService, path: str) -> socket.socket:
    """A connection that has sent its request and read nothing yet."""
    line = socket.create_connection(("127.0.0.1", service.port), timeout=5)
    line.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
    return line


def read_until(line: socket.socket, mark: bytes, most: int = 2_000_000) -> bytes:
    data = b""
    while mark not in data and len(data) < most:
        chunk = line.recv(65536)
        if not chunk:
            break
        data += chunk
    return data


def test_no_banner_says_what_serves(live: LiveService) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", live.port, timeout=5)
    connection.request("GET", "/healthz")
    answer = connection.getresponse()
    assert answer.status == 200
    assert answer.getheader("server") is None
    connection.close()


def test_stopping_ends_within_two_seconds_with_streams_open(live: LiveService) -> None:
    lines = [ask(live, path) for path in ("/api/v1/stream.mjpg", "/api/v1/live", "/api/v1/live")]
    for line in lines:
        assert b"200" in read_until(line, b"\r\n\r\n")
    live.wait_for(lambda: len(live.streams) == 3, "the streams did not open")
    assert live.stop() < 2
    for line in lines:
        assert read_until(line, b"0\r\n\r\n", 20_000_000).endswith(b"0\r\n\r\n")
        line.close()


def test_stopping_does_not_wait_for_a_viewer_who_reads_nothing(live: LiveService) -> None:
    with ask(live, "/api/v1/stream.mjpg") as line:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        live.wait_for(lambda: live.preview.viewers == 1, "no viewer")
        live.wait_for(lambda: live.preview.newest is not None, "no picture")
        live.wait_for(lambda: not any(each.waits for each in live.preview._viewers), "not stuck")
        assert live.stop() < 2


def test_no_pictures_are_kept_for_a_viewer_who_reads_nothing(live: LiveService) -> None:
    """Else he who is slow sees the past, and nobody notices that he is."""
    with ask(live, "/api/v1/stream.mjpg"):
        live.wait_for(lambda: live.preview.newest is not None, "no picture")
        until = (live.status.last or snapshot()).frame + 2 * FPS
        live.wait_for(lambda: (live.status.last or snapshot()).frame > until, "no frames")
        assert live.preview.newest is not None
        assert live.preview.newest.number <= 5
        assert len(live.preview.newest.jpeg) > 150_000, "and they are no small ones"


@pytest.mark.slow
def test_a_slow_viewer_gets_cheaper_pictures(live: LiveService) -> None:
    with ask(live, "/api/v1/stream.mjpg") as line:
        live.wait_for(lambda: live.preview.viewers == 1, "he did not come in")
        best = live.preview.fidelity.step
        live.wait_for(
            lambda: bool(line.recv(8192)) and live.preview.fidelity.step.fps < best.fps,
            "pictures stayed as they were",
            seconds=15,
        )


def test_a_viewer_who_reads_nothing_loses_his_place_and_delays_nobody(tmp_path: Path) -> None:
    with LiveService(tmp_path, idle_s=1.0) as service, ask(service, "/api/v1/stream.mjpg") as stuck:
        service.wait_for(lambda: service.preview.viewers == 1, "he did not come in")
        with ask(service, "/api/v1/stream.mjpg") as well:
            service.wait_for(lambda: service.preview.viewers == 2, "both watch")
            for _ in range(5):
                assert b"image/jpeg" in read_until(well, b"image/jpeg")
            service.wait_for(
                lambda: read_until(well, b"image/jpeg") != b"" and service.preview.viewers == 1,
                "the stuck one was not dropped",
                seconds=15,
            )
        assert service.slowest_offer_s < 0.25
        service.wait_for(lambda: service.preview.viewers == 0, "he who left is still counted")
        stuck.close()


def test_viewers_who_leave_are_not_counted_any_more(live: LiveService) -> None:
    lines = [ask(live, "/api/v1/stream.mjpg") for _ in range(8)]
    live.wait_for(lambda: live.preview.viewers == 8, "all eight should watch")
    with ask(live, "/api/v1/stream.mjpg") as late:
        assert b"503" in read_until(late, b"\r\n\r\n")
    for line in lines:
        line.close()
    live.wait_for(lambda: live.preview.viewers == 0, "they left")
    newest = live.preview.newest
    assert newest is None


@pytest.mark.slow
def test_many_followers_of_the_status_are_served(live: LiveService) -> None:
    lines = [ask(live, "/api/v1/live") for _ in range(60)]
    for line in lines:
        assert b"event: status" in read_until(line, b"\n\n")
    for line in lines[:5]:
        assert b"event: change" in read_until(line, b"event: change")
    for line in lines:
        line.close()
    live.wait_for(lambda: len(live.streams) == 0, "they left")
