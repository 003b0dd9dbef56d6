"""Network cameras, against a real RTSP server on this machine's own loopback."""

from __future__ import annotations

import socket

import numpy as np
import pytest

from edge_runtime.capture import Source, open_source
from edge_runtime.errors import SourceLost, SourceUnavailable
from tests.capture.fake_clock import FakeClock
from tests.capture.recordings import scene
from tests.capture.rtsp_server import RtspServer


def opened(port: int, clock: FakeClock) -> Source:
    return open_source(f"rtsp://me:geheim@127.0.0.1:{port}/live", clock=clock, wait=clock.wait)


def test_frames_come_until_the_camera_hangs_up(clock: FakeClock) -> None:
    with RtspServer(frames=60) as server, opened(server.port, clock) as source:
        assert source.live
        assert (source.width, source.height) == (320, 240)
        frame = next(source)
        assert np.abs(frame.picture.bgr().astype(int)[..., 1] - scene(320, 240)[..., 1]).mean() < 9
        with pytest.raises(SourceLost, match="stopped delivering"):
            list(source)


def test_the_password_is_nowhere_to_be_seen(clock: FakeClock) -> None:
    with RtspServer(frames=60) as server, opened(server.port, clock) as source:
        assert source.uri == f"rtsp://me:***@127.0.0.1:{server.port}/live"
        assert "geheim" not in source.description


def test_a_camera_that_refuses_is_told_apart(clock: FakeClock) -> None:
    with RtspServer(frames=0, refuses=True) as server, pytest.raises(SourceUnavailable) as caught:
        opened(server.port, clock)
    assert "answers but gives no video; check the path, the user and the password" in str(
        caught.value
    )
    assert "geheim" not in str(caught.value)


def test_nobody_there_is_said(clock: FakeClock) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(SourceUnavailable, match=f"127.0.0.1 does not answer at port {port}"):
        opened(port, clock)


@pytest.mark.parametrize("address", ["rtsp://me:geheim@cam:port/x", "rtsp://me:gehe/im@cam/x"])
def test_an_address_that_is_none_is_said(address: str, clock: FakeClock) -> None:
    with pytest.raises(SourceUnavailable, match="is no valid address") as caught:
        open_source(address, clock=clock, wait=clock.wait)
    assert "gehe" not in str(caught.value)
