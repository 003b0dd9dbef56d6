"""USB cameras: damaged pictures left out, every way of failing told apart."""

from __future__ import annotations

import errno
import itertools
import logging
import os
from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_runtime.capture.uri import parse
from edge_runtime.capture.v4l2 import V4l2Source, open_v4l2
from edge_runtime.errors import SourceLost, SourceUnavailable
from tests.capture.fake_clock import FakeClock
from tests.capture.fake_kernel import CODEC, Arrival, FakeDevice, FakeKernel
from tests.capture.recordings import scene, webcam_jpeg, yuyv

WHOLE = Arrival(webcam_jpeg())


class Bench:
    """A machine with cameras, and the way to open the first."""

    def __init__(self, root: Path, clock: FakeClock) -> None:
        self.root, self.clock = root, clock
        self.devices: dict[str, FakeDevice] = {}
        self.kernel = FakeKernel(self.devices, now=clock, advance=clock.advance)
        (root / "dev").mkdir()

    def plug(self, device: FakeDevice, node: str = "video0") -> FakeDevice:
        self.devices[node] = device
        (self.root / "dev" / node).touch()
        return device

    def open(self, uri: str = "v4l2:///dev/video0") -> V4l2Source:
        clock = self.clock
        return open_v4l2(
            parse(uri), clock=clock, wait=clock.wait, root=self.root, kernel=self.kernel
        )


@pytest.fixture
def bench(tmp_path: Path, clock: FakeClock) -> Bench:
    return Bench(tmp_path, clock)


def camera(*arrivals: Arrival, then: Iterable[Arrival] = itertools.repeat(WHOLE)) -> FakeDevice:
    return FakeDevice(arrivals=itertools.chain(arrivals, then))


def test_motion_jpeg_is_preferred_and_described(bench: Bench) -> None:
    bench.plug(camera())
    with bench.open("v4l2:///dev/video0?size=640x480&fps=60") as source:
        assert source.description == "camera HD Webcam C525, 640x480 MJPG at 30 fps"
        assert source.fps == 30
        assert next(source).luma.shape == (240, 320)


def test_a_camera_without_jpeg_is_read_uncompressed(bench: Bench) -> None:
    bench.plug(FakeDevice(formats=(b"H264", b"YUYV"), arrivals=itertools.repeat(Arrival(yuyv()))))
    with bench.open() as source:
        frame = next(source)
    assert np.abs(frame.picture.bgr().astype(int) - scene()).mean() < 4
    brightness = cv2.cvtColor(scene(), cv2.COLOR_BGR2GRAY)[::2, ::2].astype(int)
    assert np.abs(brightness - frame.luma).mean() < 1.5


def test_the_cameras_own_size_wins(bench: Bench) -> None:
    device = bench.plug(camera(then=itertools.repeat(Arrival(webcam_jpeg(800, 600)))))
    device.size = (800, 600)
    with bench.open() as source:
        frame = next(source)
        assert (source.width, source.height) == (800, 600)
        assert (frame.picture.width, frame.picture.height) == (800, 600)
        assert frame.luma.shape == (240, 320)


def test_the_drivers_time_is_used(bench: Bench, clock: FakeClock) -> None:
    bench.plug(camera())
    with bench.open() as source:
        assert next(source).taken_at == pytest.approx(clock.now - 0.03, abs=1e-5)


def test_a_clock_that_jumped_is_not_believed(bench: Bench, clock: FakeClock) -> None:
    bench.plug(camera())
    bench.kernel.now = lambda: clock.now + 500
    with bench.open() as source:
        assert next(source).taken_at == clock.now


@pytest.mark.parametrize(
    "broken",
    [
        Arrival(WHOLE.data[: len(WHOLE.data) // 2]),
        Arrival(b""),
        Arrival(b"\xff\xd8" + bytes(900)),
        Arrival(os.urandom(3000)),
        Arrival(WHOLE.data, error=True),
    ],
    ids=["cut", "empty", "hollow", "garbage", "said so"],
)
def test_damaged_pictures_are_left_out_and_counted(
    bench: Bench, broken: Arrival, caplog: pytest.LogCaptureFixture
) -> None:
    bench.plug(camera(WHOLE, broken, broken, WHOLE))
    with bench.open() as source:
        assert [next(source).index, next(source).index] == [0, 1]
        assert source.damaged == 2
    assert len([r for r in caplog.records if r.levelno == logging.WARNING]) == 1


def test_garbage_after_the_picture_does_not_matter(bench: Bench) -> None:
    bench.plug(camera(Arrival(WHOLE.data + os.urandom(500))))
    with bench.open() as source:
        next(source)
        assert source.damaged == 0


def test_half_an_uncompressed_picture_is_damaged(bench: Bench) -> None:
    half, whole = Arrival(yuyv()[:300_000]), Arrival(yuyv())
    bench.plug(FakeDevice(formats=(b"YUYV",), arrivals=iter([half, whole])))
    with bench.open() as source:
        next(source)
        assert source.damaged == 1


def test_nothing_but_damage_is_a_loss(bench: Bench, clock: FakeClock) -> None:
    def broken() -> Iterable[Arrival]:
        while True:
            clock.advance(0.1)
            yield Arrival(b"")

    bench.plug(camera(then=broken()))
    with bench.open() as source, pytest.raises(SourceLost, match=r"5\d damaged pictures and no"):
        next(source)


def test_silence_is_a_loss_after_five_seconds(bench: Bench, clock: FakeClock) -> None:
    device = bench.plug(camera())
    with bench.open() as source:
        next(source).close()
        device.silent = True
        with pytest.raises(SourceLost, match="delivered no picture for 5 s"):
            next(source)
    assert clock.now - 1000 == pytest.approx(5, abs=0.3)


def test_a_silent_camera_does_not_keep_the_program_from_stopping(
    bench: Bench, clock: FakeClock
) -> None:
    clock.stopping_after = 0.5
    bench.plug(camera()).silent = True
    with bench.open() as source:
        assert list(source) == []
    assert clock.now - 1000 <= 0.5


def test_unplugging_is_a_loss_and_frees_everything(bench: Bench) -> None:
    device = bench.plug(camera())
    with bench.open() as source:
        next(source).close()
        device.dequeue_fails = errno.ENODEV
        with pytest.raises(SourceLost, match="v4l2:///dev/video0 was unplugged"):
            next(source)
    assert bench.kernel.open_files == {}
    assert all(memory.closed for memory in device.memories)


def test_a_transfer_error_is_a_loss(bench: Bench) -> None:
    device = bench.plug(camera())
    with bench.open() as source:
        device.dequeue_fails = errno.EIO
        with pytest.raises(SourceLost, match=r"failed \(Input/output error\)"):
            next(source)


def test_closing_frees_everything(bench: Bench) -> None:
    device = bench.plug(camera())
    bench.open().close()
    assert bench.kernel.open_files == {}
    assert device.streaming is False
    assert all(memory.closed for memory in device.memories)


def test_a_camera_whose_rate_cannot_be_set_is_used_all_the_same(bench: Bench) -> None:
    bench.plug(camera()).rate_fails = errno.ENOTTY
    with bench.open() as source:
        assert source.fps is None
        next(source).close()


def hold(root: Path, pid: int, name: str, path: str) -> None:
    (root / "proc" / str(pid) / "fd").mkdir(parents=True)
    (root / "proc" / str(pid) / "fd" / "7").symlink_to(path)
    (root / "proc" / str(pid) / "comm").write_text(f"{name}\n")


def test_a_busy_camera_names_who_has_it(bench: Bench) -> None:
    bench.plug(camera()).format_fails = errno.EBUSY
    hold(bench.root, 812, "motion", "/dev/video0")
    with pytest.raises(SourceUnavailable) as caught:
        bench.open()
    assert str(caught.value) == (
        "/dev/video0 is busy: motion (process 812) has it; stop that first"
    )
    assert bench.kernel.open_files == {}


def test_a_missing_camera_names_those_that_are_there(bench: Bench) -> None:
    bench.plug(camera(), "video2")
    with pytest.raises(SourceUnavailable) as caught:
        bench.open()
    assert str(caught.value) == (
        "/dev/video0 cannot be opened (No such file or directory); "
        "found: /dev/video2 (HD Webcam C525, camera)"
    )


def test_no_camera_at_all_is_said(bench: Bench) -> None:
    with pytest.raises(SourceUnavailable, match="found: no /dev/video"):
        bench.open()


def test_a_missing_group_is_named_with_the_remedy(bench: Bench) -> None:
    bench.plug(camera()).open_fails = errno.EACCES
    with pytest.raises(SourceUnavailable, match=r"add it to group \w+ \(sudo usermod -aG"):
        bench.open()


def test_a_codec_is_no_camera(bench: Bench) -> None:
    bench.plug(FakeDevice(driver=b"bcm2835-codec", device_caps=CODEC, formats=()))
    with pytest.raises(SourceUnavailable, match="offers none, expected MJPG or YUYV"):
        bench.open()


def test_a_plain_file_is_no_camera(bench: Bench) -> None:
    bench.plug(FakeDevice(driver=b"not-v4l2", formats=())).format_fails = errno.ENOTTY
    with pytest.raises(SourceUnavailable, match="no V4L2 camera; found: /dev/video0"):
        bench.open()
