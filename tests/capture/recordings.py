"""Small pictures and videos, made on the spot."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import cv2
import numpy as np

from edge_runtime import jpeg
from edge_runtime.types import Bgr


def scene(width: int = 640, height: int = 480, shift: int = 0) -> Bgr:
    """Smooth colours, so that compression loses little; ``shift`` makes them another picture."""
    across, down = np.meshgrid(np.linspace(0, 200, width), np.linspace(0, 200, height))
    return np.dstack([across + shift % 50, down, 255 - (across + down) / 2]).astype(np.uint8)


@cache
def webcam_jpeg(width: int = 640, height: int = 480, shift: int = 0) -> bytes:
    """A frame as an MJPEG webcam sends it: no Huffman tables, padded with zeros."""
    data = jpeg.encode(scene(width, height, shift), quality=92)
    while (at := data.find(b"\xff\xc4")) >= 0:
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        data = data[:at] + data[at + 2 + length :]
    return data + bytes(37)


@cache
def yuyv(
    width: int = 640, height: int = 480, *, full_range: bool = False, padding: int = 0
) -> bytes:
    """An uncompressed webcam frame, ITU-R BT.601."""
    y, cr, cb = (plane.astype(float) for plane in cv2.split(cv2.cvtColor(scene(width, height), 36)))
    if not full_range:
        y = 16 + y * 219 / 255
        cr, cb = (128 + (plane - 128) * 224 / 255 for plane in (cr, cb))
    rows = np.zeros((height, 2 * width + padding), np.uint8)
    packed = rows[:, : 2 * width].reshape(height, width, 2)
    packed[..., 0] = np.rint(y)
    packed[:, 0::2, 1], packed[:, 1::2, 1] = np.rint(cb[:, 0::2]), np.rint(cr[:, 0::2])
    return rows.tobytes()


def write_video(path: Path, frames: int = 12, size: tuple[int, int] = (320, 240)) -> Path:
    """Motion JPEG in AVI or MP4: what every OpenCV can write."""
    code = cv2.VideoWriter.fourcc(*("MJPG" if path.suffix == ".avi" else "mp4v"))
    writer = cv2.VideoWriter(str(path), code, 10.0, size)
    assert writer.isOpened()
    for shift in range(frames):
        writer.write(scene(*size, shift=shift))
    writer.release()
    return path


def write_pictures(folder: Path) -> Path:
    """Twelve photographs of odd sizes, JPEG and PNG."""
    for at in range(6):
        (folder / f"{at:02}.jpg").write_bytes(jpeg.encode(scene(641, 479, at), quality=95))
        cv2.imwrite(str(folder / f"{at:02}.png"), scene(101, 77, at))
    return folder
