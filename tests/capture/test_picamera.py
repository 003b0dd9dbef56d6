"""Pi cameras: what is asked of picamera2, how requests go back, and every way of failing."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from edge_runtime.capture import picamera
from edge_runtime.capture.picamera import PicameraSource, open_picamera
from edge_runtime.capture.uri import parse
from edge_runtime.errors import SourceLost, SourceUnavailable
from edge_runtime.types import Box
from tests.capture import fake_picamera2
from tests.capture.fake_clock import FakeClock
from tests.capture.fake_picamera2 import FakeHardware

Opening = Callable[..., PicameraSource]


@pytest.fixture
def hardware(monkeypatch: pytest.MonkeyPatch, clock: FakeClock) -> FakeHardware:
    fresh = fake_picamera2.install(monkeypatch)
    fresh.now, fresh.advance = clock, clock.advance
    return fresh


@pytest.fixture
def opening(hardware: FakeHardware, clock: FakeClock, tmp_path: Path) -> Opening:
    def open_it(uri: str = "picamera://0?size=1536x864&fps=30") -> PicameraSource:
        return open_picamera(parse(uri), clock=clock, wait=clock.wait, root=tmp_path)

    return open_it


def test_it_says_which_camera_and_how(opening: Opening) -> None:
    with opening() as source:
        assert source.description == "Pi camera imx708, 1536x864 at 30 fps"
        assert (source.width, source.height) == (1536, 864)
        assert source.fps == pytest.approx(30, abs=0.01)


def test_two_small_streams_and_no_raw_one_are_asked_for(
    opening: Opening, hardware: FakeHardware
) -> None:
    with opening("picamera://1?buffer_count=3&fps=15&vflip=1"):
        asked = hardware.opened[0].camera_configuration()
    assert asked["main"]["format"] == asked["lores"]["format"] == "YUV420"
    assert asked["lores"]["size"] == (320, 180)
    assert asked["raw"] is None
    assert asked["buffer_count"] == 3
    assert asked["queue"] is False
    assert (asked["transform"].hflip, asked["transform"].vflip) == (False, True)
    assert asked["controls"]["FrameDurationLimits"] == (66667, 66667)


def test_luma_is_the_y_plane_without_its_padding(opening: Opening) -> None:
    with opening("picamera://0?size=1000x562&lores=200x112") as source:
        luma = next(source).luma
    ramp = np.linspace(0, 255, 200) * 0.9
    assert luma.shape == (112, 200)
    assert np.abs(luma[50] - ramp).max() < 3


def test_mirroring_is_done_by_the_camera(opening: Opening) -> None:
    with opening("picamera://0?hflip=1") as source:
        luma = next(source).luma
    assert luma[0, 0] > luma[0, -1]


def test_every_closed_frame_goes_back_to_the_camera(
    opening: Opening, hardware: FakeHardware
) -> None:
    with opening() as source:
        for _ in range(20):
            frame = next(source)
            frame.close()
            frame.close()
        assert hardware.opened[0].requests_out == 0


def test_frames_never_closed_starve_the_camera(opening: Opening) -> None:
    with opening("picamera://0?buffer_count=2") as source:
        held = [next(source), next(source)]
        with pytest.raises(SourceLost, match="delivered no picture for 5 s"):
            next(source)
    assert len(held) == 2


def test_frames_still_held_go_back_before_the_camera_closes(
    opening: Opening, hardware: FakeHardware
) -> None:
    with opening() as source:
        frame = next(source)
    assert hardware.opened[0].requests_out == 0
    assert not hardware.opened[0].is_open
    with pytest.raises(ValueError, match="the frame was closed"):
        frame.picture.bgr(Box(0, 0, 9, 9))


def test_the_sensors_time_is_used(opening: Opening, clock: FakeClock) -> None:
    with opening() as source:
        assert next(source).taken_at == pytest.approx(clock.now - 0.02)


def test_a_sensor_time_of_another_clock_is_not_believed(
    opening: Opening, hardware: FakeHardware, clock: FakeClock
) -> None:
    hardware.now = lambda: clock.now - 5000
    with opening() as source:
        assert next(source).taken_at == clock.now


def test_a_dead_sensor_is_a_loss_and_is_cancelled(
    opening: Opening, hardware: FakeHardware, clock: FakeClock
) -> None:
    with opening() as source:
        next(source).close()
        hardware.silent = True
        with pytest.raises(SourceLost, match="ribbon cable"):
            next(source)
        assert hardware.opened[0].jobs == []
    assert clock.now - 1000 == pytest.approx(5, abs=0.3)
    assert not hardware.opened[0].is_open


def test_a_dead_sensor_does_not_keep_the_program_from_stopping(
    opening: Opening, hardware: FakeHardware, clock: FakeClock
) -> None:
    clock.stopping_after = 0.5
    with opening() as source:
        hardware.silent = True
        assert list(source) == []
    assert clock.now - 1000 <= 0.5


def test_a_driver_that_never_stops_is_given_up(
    opening: Opening, hardware: FakeHardware, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    source = opening()
    hardware.driver_hangs = True
    began = clock.now
    source.close()
    assert clock.now - began == pytest.approx(3)
    assert "only a restart may free the camera" in caplog.text
    assert picamera._abandoned.pop() is hardware.opened[0]


def test_a_failed_request_is_a_loss(opening: Opening, hardware: FakeHardware) -> None:
    def fails() -> None:
        raise RuntimeError("camera was disconnected")

    with opening() as source:
        hardware.opened[0]._capture_request = fails  # type: ignore[method-assign, assignment]
        with pytest.raises(SourceLost, match="camera was disconnected"):
            next(source)


def test_no_camera_is_said(opening: Opening, hardware: FakeHardware) -> None:
    hardware.models = []
    with pytest.raises(SourceUnavailable, match="no Pi camera is connected"):
        opening()


def test_a_wrong_number_names_the_cameras_there_are(opening: Opening) -> None:
    with pytest.raises(
        SourceUnavailable, match=r"no Pi camera 4; found: 0 \(imx708\), 1 \(ov5647\)"
    ):
        opening("picamera://4")


def test_a_webcam_is_sent_to_its_own_driver(opening: Opening, hardware: FakeHardware) -> None:
    hardware.bus = "scb/pcie@7d500000/usb@0"
    with pytest.raises(SourceUnavailable, match="is a USB camera; write v4l2"):
        opening()


def test_a_busy_camera_names_who_has_it(
    opening: Opening, hardware: FakeHardware, tmp_path: Path
) -> None:
    hardware.held_elsewhere = True
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev/media0").touch()
    (tmp_path / "proc/512/fd").mkdir(parents=True)
    (tmp_path / "proc/512/fd/9").symlink_to("/dev/media0")
    (tmp_path / "proc/512/comm").write_text("rpicam-vid\n")
    with pytest.raises(SourceUnavailable) as caught:
        opening()
    assert str(caught.value) == (
        "picamera://0?size=1536x864&fps=30 (imx708) is busy: "
        "rpicam-vid (process 512) has it; stop that first"
    )


def test_a_busy_camera_of_another_user_is_guessed(opening: Opening, hardware: FakeHardware) -> None:
    hardware.held_elsewhere = True
    with pytest.raises(SourceUnavailable, match="another process may have it"):
        opening()


def test_too_little_memory_says_what_helps_and_frees_the_camera(
    opening: Opening, hardware: FakeHardware
) -> None:
    hardware.memory_short = True
    with pytest.raises(SourceUnavailable, match="try a smaller size or buffer_count"):
        opening()
    assert not hardware.opened[0].is_open


def missing(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("picamera2", "libcamera"):
        monkeypatch.setitem(sys.modules, module, None)


def test_without_picamera2_the_remedy_is_named(
    opening: Opening, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing(monkeypatch)
    with pytest.raises(SourceUnavailable, match="sudo apt install python3-picamera2"):
        opening()


def test_a_closed_environment_is_told_how_to_see_it(
    opening: Opening, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    missing(monkeypatch)
    monkeypatch.setattr(sys, "prefix", "/home/me/.venv")
    (tmp_path / "usr/lib/python3/dist-packages/picamera2").mkdir(parents=True)
    with pytest.raises(
        SourceUnavailable, match=r"/home/me/\.venv cannot see it.*--system-site-pack"
    ):
        opening()


def test_a_copy_that_cannot_be_loaded_is_told_apart(
    opening: Opening, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    missing(monkeypatch)
    monkeypatch.setattr(sys, "prefix", sys.base_prefix)
    (tmp_path / "usr/lib/python3/dist-packages/picamera2").mkdir(parents=True)
    with pytest.raises(SourceUnavailable, match="cannot be loaded"):
        opening()


def test_a_version_that_cannot_wait_with_a_timeout_is_refused(
    opening: Opening, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(fake_picamera2.Picamera2, "cancel_all_and_flush")
    with pytest.raises(SourceUnavailable, match="older than July 2024"):
        opening()
