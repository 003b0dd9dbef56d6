"""What every source promises, whatever it is made of."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_runtime.capture import Source, open_source
from edge_runtime.capture.reopen import ReopeningSource
from edge_runtime.capture.uri import parse
from edge_runtime.capture.v4l2 import open_v4l2
from edge_runtime.errors import LibraryMissing
from edge_runtime.types import Box, Frame
from tests.capture import fake_picamera2
from tests.capture.fake_clock import FakeClock
from tests.capture.fake_kernel import Arrival, FakeDevice, FakeKernel
from tests.capture.recordings import webcam_jpeg, write_pictures, write_video, yuyv
from tests.capture.rtsp_server import RtspServer

Opening = Callable[[], Source]
Maker = Callable[[Path, FakeClock, pytest.MonkeyPatch], Opening]


def picamera(folder: Path, clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> Opening:
    hardware = fake_picamera2.install(monkeypatch)
    hardware.now, hardware.advance = clock, clock.advance
    # 500 is no multiple of the ISP's alignment, so that rows are padded.
    uri = "picamera://0?size=1000x562&lores=200x112&fps=30"
    return lambda: open_source(uri, clock=clock, wait=clock.wait, root=folder)


def webcam(device: FakeDevice, folder: Path, clock: FakeClock) -> Opening:
    kernel = FakeKernel({"video0": device}, now=clock, advance=clock.advance)
    uri = parse("v4l2:///dev/video0?size=640x480&fps=30")
    return lambda: open_v4l2(uri, clock=clock, wait=clock.wait, root=folder, kernel=kernel)


def v4l2_mjpg(folder: Path, clock: FakeClock, _: pytest.MonkeyPatch) -> Opening:
    pictures = itertools.cycle([Arrival(webcam_jpeg(shift=shift)) for shift in range(3)])
    return webcam(FakeDevice(arrivals=pictures), folder, clock)


def v4l2_yuyv(folder: Path, clock: FakeClock, _: pytest.MonkeyPatch) -> Opening:
    pictures = itertools.repeat(Arrival(yuyv(padding=64)))
    device = FakeDevice(formats=(b"YUYV",), arrivals=pictures, stride_padding=64)
    return webcam(device, folder, clock)


def v4l2_yuyv_full_range(folder: Path, clock: FakeClock, _: pytest.MonkeyPatch) -> Opening:
    pictures = itertools.repeat(Arrival(yuyv(full_range=True)))
    return webcam(FakeDevice(formats=(b"YUYV",), arrivals=pictures, quantization=1), folder, clock)


def video(folder: Path, clock: FakeClock, _: pytest.MonkeyPatch) -> Opening:
    return lambda: open_source(f"file://{folder}/clip.avi", clock=clock, wait=clock.wait)


def video_in_real_time(folder: Path, clock: FakeClock, _: pytest.MonkeyPatch) -> Opening:
    uri = f"file://{folder}/clip.avi?realtime=1&loop=1"
    return lambda: open_source(uri, clock=clock, wait=clock.wait)


def pictures(folder: Path, clock: FakeClock, _: pytest.MonkeyPatch) -> Opening:
    return lambda: open_source(f"pictures://{folder}", clock=clock, wait=clock.wait)


def demo(_: Path, clock: FakeClock, __: pytest.MonkeyPatch) -> Opening:
    return lambda: open_source("demo://?faces=2&seed=3", clock=clock, wait=clock.wait)


def rtsp(folder: Path, clock: FakeClock, _: pytest.MonkeyPatch) -> Opening:
    uri = f"rtsp://127.0.0.1:{(folder / 'port').read_text()}/live"
    return lambda: open_source(uri, clock=clock, wait=clock.wait)


def reopening(folder: Path, clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> Opening:
    inner = v4l2_mjpg(folder, clock, monkeypatch)
    return lambda: ReopeningSource(inner, wait=clock.wait, clock=clock)


MAKERS: tuple[Maker, ...] = (
    picamera,
    v4l2_mjpg,
    v4l2_yuyv,
    v4l2_yuyv_full_range,
    video,
    video_in_real_time,
    pictures,
    demo,
    rtsp,
    reopening,
)

BOXES = (
    Box(10, 20, 30, 40),
    Box(0, 0, 1, 1),
    Box(3.2, 5.7, 21.1, 17.3),
    Box(-20, -20, 50, 50),
    Box(33, 11, 5000, 5000),
)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = write_pictures(tmp_path_factory.mktemp("recorded"))
    write_video(folder / "clip.avi")
    with RtspServer(frames=100) as server:
        (folder / "port").write_text(str(server.port))
        yield folder


@pytest.fixture(params=MAKERS, ids=lambda maker: maker.__name__)
def opening(
    request: pytest.FixtureRequest,
    recorded: Path,
    clock: FakeClock,
    monkeypatch: pytest.MonkeyPatch,
) -> Opening:
    made: Opening = request.param(recorded, clock, monkeypatch)
    try:
        made().close()
    except LibraryMissing as error:
        pytest.skip(str(error))
    return made


@pytest.fixture
def source(opening: Opening) -> Iterator[Source]:
    with opening() as opened:
        yield opened


@pytest.fixture
def frame(source: Source) -> Iterator[Frame]:
    with closing(next(source)) as taken:
        yield taken


def test_luma_is_a_small_contiguous_plane_of_bytes(frame: Frame) -> None:
    assert frame.luma.dtype == np.uint8
    assert frame.luma.ndim == 2
    assert frame.luma.flags.c_contiguous
    height, width = frame.luma.shape
    assert 1 <= width <= 320
    assert 1 <= height <= 240


def test_the_picture_has_the_size_it_says(frame: Frame) -> None:
    picture = frame.picture
    assert picture.luma().shape == (picture.height, picture.width)
    assert picture.bgr().shape == (picture.height, picture.width, 3)
    assert picture.luma().dtype == picture.bgr().dtype == np.uint8


def test_the_source_knows_the_size_of_its_pictures_or_says_none(source: Source) -> None:
    with closing(next(source)) as frame:
        known = source.width, source.height
        assert known in ((None, None), (frame.picture.width, frame.picture.height))


def test_luma_shows_what_the_picture_shows(frame: Frame) -> None:
    height, width = frame.luma.shape
    small = cv2.resize(frame.picture.luma(), (width, height), interpolation=cv2.INTER_AREA)
    assert np.abs(small.astype(int) - frame.luma).mean() < 3


def test_the_pictures_luma_is_the_brightness_of_its_colours(frame: Frame) -> None:
    grey = cv2.cvtColor(frame.picture.bgr(), cv2.COLOR_BGR2GRAY).astype(int)
    assert np.abs(grey - frame.picture.luma()).mean() < 3


def test_a_region_is_a_slice_of_the_whole(frame: Frame) -> None:
    whole_luma, whole_bgr = frame.picture.luma(), frame.picture.bgr()
    for box in BOXES:
        part = np.index_exp[span(box.y, box.bottom), span(box.x, box.right)]
        assert np.array_equal(frame.picture.luma(box), whole_luma[part])
        assert np.array_equal(frame.picture.bgr(box), whole_bgr[part])


def span(first: float, last: float) -> slice:
    return slice(max(int(np.floor(first)), 0), int(np.ceil(last)))


def test_a_region_outside_the_picture_is_empty(frame: Frame) -> None:
    for box in (Box(-50, -50, 20, 20), Box(9000, 3, 5, 5), Box(5, 5, 0, 0)):
        assert frame.picture.luma(box).size == 0
        assert frame.picture.bgr(box).size == 0
        assert frame.picture.bgr(box).shape[2] == 3


def test_frames_are_counted_from_zero(source: Source) -> None:
    indices = []
    for frame in itertools.islice(source, 12):
        indices.append(frame.index)
        frame.close()
    assert indices == list(range(12))


def test_time_rises_from_frame_to_frame(source: Source, clock: FakeClock) -> None:
    times = []
    for frame in itertools.islice(source, 5):
        times.append(frame.taken_at)
        frame.close()
        clock.advance(0.05)
    assert times == sorted(set(times))
    assert clock.now - 1 < times[0] <= clock.now


def test_a_frame_may_be_closed_twice(source: Source) -> None:
    frame = next(source)
    frame.close()
    frame.close()
    next(source).close()


def test_frames_may_outlive_their_source(opening: Opening) -> None:
    with opening() as source:
        frame = next(source)
    luma = frame.luma.copy()
    frame.close()
    assert luma.std() > 1


def test_closing_twice_is_closing_once(opening: Opening) -> None:
    source = opening()
    next(source).close()
    source.close()
    source.close()


def test_a_closed_source_has_no_next_frame(opening: Opening) -> None:
    source = opening()
    source.close()
    with pytest.raises(StopIteration):
        next(source)
    assert list(source) == []


def test_a_source_is_closed_when_its_user_fails(opening: Opening) -> None:
    source = opening()
    with pytest.raises(ZeroDivisionError):
        fail_inside(source)
    assert list(source) == []


def fail_inside(source: Source) -> None:
    with source:
        next(source).close()
        raise ZeroDivisionError


def test_a_source_can_be_opened_again_after_closing(opening: Opening) -> None:
    for _ in range(3):
        with opening() as source:
            assert next(source).index == 0


def test_a_probe_takes_no_index(source: Source) -> None:
    source.probe()
    assert next(source).index == 0


def test_the_uri_opens_the_same_kind_again(source: Source) -> None:
    assert parse(source.uri).scheme == source.uri.partition("://")[0]


def test_the_description_is_in_words(source: Source) -> None:
    assert " " in source.description
    assert "None" not in source.description
