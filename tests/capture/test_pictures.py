"""Folders of photographs: order, orientation, what cannot be read."""

from __future__ import annotations

import struct
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_runtime import jpeg
from edge_runtime.capture.exif import orientation, upright
from edge_runtime.capture.pictures import PicturesSource, open_pictures
from edge_runtime.capture.uri import parse
from edge_runtime.errors import SourceDamaged, SourceUnavailable
from tests.capture.fake_clock import FakeClock
from tests.capture.recordings import scene


def opened(path: Path, clock: FakeClock) -> PicturesSource:
    return open_pictures(parse(f"pictures://{path}"), clock=clock)


def with_orientation(data: bytes, value: int, order: str = ">") -> bytes:
    """An Exif segment as cameras write it: one directory, the orientation second."""
    head = (b"MM\0*" if order == ">" else b"II*\0") + struct.pack(order + "I", 8)
    make = struct.pack(order + "HHII", 0x010F, 2, 4, 0x41424300)
    turn = struct.pack(order + "HHIHH", 0x0112, 3, 1, value, 0)
    exif = b"Exif\0\0" + head + struct.pack(order + "H", 2) + make + turn + bytes(4)
    return data[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + data[2:]


def test_pictures_come_in_the_order_of_their_names(tmp_path: Path, clock: FakeClock) -> None:
    for name in ("b.png", "a.jpg", "c.bmp", "d.webp", "E.JPEG"):
        cv2.imwrite(str(tmp_path / name), scene(64, 48))
    (tmp_path / "notes.txt").write_text("no picture")
    with opened(tmp_path, clock) as source:
        names = [Path(frame.name or "").name for frame in source]
    assert names == ["E.JPEG", "a.jpg", "b.png", "c.bmp", "d.webp"]
    assert source.description == f"5 pictures in {tmp_path}"


def test_one_picture_is_a_source_too(tmp_path: Path, clock: FakeClock) -> None:
    (tmp_path / "me.jpg").write_bytes(jpeg.encode(scene(64, 48)))
    with opened(tmp_path / "me.jpg", clock) as source:
        assert [frame.index for frame in source] == [0]
    assert source.description == "picture me.jpg"


@pytest.mark.parametrize("value", range(1, 9))
@pytest.mark.parametrize("order", "<>")
def test_pictures_stand_upright_as_opencv_turns_them(
    value: int, order: str, tmp_path: Path, clock: FakeClock
) -> None:
    data = with_orientation(jpeg.encode(scene(64, 48), quality=95), value, order)
    (tmp_path / "turned.jpg").write_bytes(data)
    expected = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert expected is not None
    with opened(tmp_path, clock) as source:
        picture = next(source).picture
    assert picture.bgr().shape == expected.shape
    assert np.abs(picture.bgr().astype(int) - expected).mean() < 3
    assert orientation(data) == value


def test_a_meaningless_orientation_is_upright() -> None:
    data = jpeg.encode(scene(64, 48))
    assert orientation(with_orientation(data, 77)) == 1
    assert np.array_equal(upright(scene(64, 48), 77), scene(64, 48))


@given(st.binary(max_size=300))
def test_any_exif_is_survived(rubbish: bytes) -> None:
    segment = b"\xff\xe1" + struct.pack(">H", len(rubbish) + 8) + b"Exif\0\0" + rubbish
    assert orientation(b"\xff\xd8" + segment) in range(1, 9)
    assert orientation(rubbish) in range(1, 9)


def test_an_unreadable_picture_is_skipped_counted_and_named(
    tmp_path: Path, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    whole = jpeg.encode(scene(64, 48))
    for name, data in {"a.jpg": whole, "b.jpg": whole[:500], "c.png": b"", "d.jpg": whole}.items():
        (tmp_path / name).write_bytes(data)
    with opened(tmp_path, clock) as source:
        assert [frame.index for frame in source] == [0, 1]
    assert [path.name for path in source.skipped] == ["b.jpg", "c.png"]
    assert [record.message.split(":")[0] for record in caplog.records] == [
        f"skipped {tmp_path / 'b.jpg'}",
        f"skipped {tmp_path / 'c.png'}",
    ]


def test_when_none_can_be_read_it_is_an_error(tmp_path: Path, clock: FakeClock) -> None:
    (tmp_path / "a.jpg").write_bytes(b"\xff\xd8 cut")
    with opened(tmp_path, clock) as source, pytest.raises(SourceDamaged, match=r"a\.jpg"):
        next(source)


def test_an_empty_folder_is_said(tmp_path: Path, clock: FakeClock) -> None:
    with pytest.raises(SourceUnavailable, match=r"holds no picture \(looked for \.bmp, \.jpeg"):
        opened(tmp_path, clock)


def test_a_missing_folder_is_said(tmp_path: Path, clock: FakeClock) -> None:
    with pytest.raises(SourceUnavailable, match="does not exist"):
        opened(tmp_path / "nowhere", clock)


def test_a_locked_folder_is_said(
    clock: FakeClock, open_folder: Path, as_nobody: Callable[[], AbstractContextManager[None]]
) -> None:
    locked = open_folder / "locked"
    locked.mkdir(mode=0)
    with as_nobody(), pytest.raises(SourceUnavailable, match="may not be read by this user"):
        opened(locked, clock)
