"""USB and other V4L2 cameras, by the kernel's own calls (ioctl, mmap, select).

Not through OpenCV: its V4L2 backend waits ten seconds for a frame whatever it is told, decodes
JPEG to colour before anyone asked, and cannot say why a device would not open. Here the compressed
picture is copied out (some 10 us), the buffer goes back at once, and only luma is decoded.
"""

from __future__ import annotations

import errno
import grp
import logging
import sys
from pathlib import Path
from typing import Final

import numpy as np

from edge_runtime.capture.devices import JPEG_FORMATS, holders, list_cameras
from edge_runtime.capture.glance import glance_of_jpeg, glance_size, shrunk
from edge_runtime.capture.kernel import Kernel, LinuxKernel
from edge_runtime.capture.picture import JpegPicture, YuyvPicture, stretched
from edge_runtime.capture.source import STALL_TIMEOUT_S, Source, Wait
from edge_runtime.capture.stream import NoFormat, Stream, Taken
from edge_runtime.capture.uri import SourceUri
from edge_runtime.errors import PictureDamaged, SourceLost, SourceUnavailable
from edge_runtime.types import Clock, Frame, Luma, Picture

_log = logging.getLogger(__name__)

_SIZE: Final = (640, 480)
_FPS: Final = 30.0

# How long one wait lasts before we look whether the program is stopping.
_SLICE_S: Final = 0.25

# A driver's time is believed when it is at most this old; some cameras' clocks jump.
_FRESH_S: Final = 1.0


class V4l2Source(Source):
    """A camera's frames. ``damaged`` counts pictures that came broken and were left out."""

    def __init__(
        self, stream: Stream, *, uri: str, clock: Clock, wait: Wait, stall_timeout_s: float
    ) -> None:
        super().__init__()
        self.uri = uri
        self.live = True
        self.width, self.height, self.fps = stream.width, stream.height, stream.fps
        rate = f" at {stream.fps:g} fps" if stream.fps else ""
        self.description = (
            f"camera {stream.name}, {stream.width}x{stream.height} {stream.pixelformat}{rate}"
        )
        self.damaged = 0
        self._stream = stream
        self._stall_timeout_s = stall_timeout_s
        self._clock = clock
        self._wait = wait
        self._small = glance_size(stream.width, stream.height)

    def _next_frame(self, index: int) -> Frame:
        before = self.damaged
        deadline = self._clock() + self._stall_timeout_s
        while (left := deadline - self._clock()) > 0:
            taken = self._taken(min(left, _SLICE_S))
            frame = self._frame(index, taken) if taken else None
            if frame:
                return frame
            if self._wait(0):
                raise StopIteration
        broken = self.damaged - before
        what = f"{broken} damaged pictures and no whole one" if broken else "no picture"
        raise SourceLost(f"{self.uri} delivered {what} for {self._stall_timeout_s:g} s")

    def _taken(self, within_s: float) -> Taken | None:
        try:
            return self._stream.take(within_s)
        except OSError as error:
            gone = error.errno in (errno.ENODEV, errno.ENXIO)
            what = "was unplugged" if gone else f"failed ({error.strerror})"
            raise SourceLost(f"{self.uri} {what}") from error

    def _frame(self, index: int, taken: Taken) -> Frame | None:
        try:
            luma, picture = self._pixels(taken.data)
        except PictureDamaged as error:
            self._count_damaged(error)
            return None
        return Frame(index, self._time(taken.taken_at), luma, picture)

    def _pixels(self, data: bytes) -> tuple[Luma, Picture]:
        if self._stream.pixelformat in JPEG_FORMATS:
            return glance_of_jpeg(data, self._stream.width, self._stream.height), JpegPicture(data)
        return self._uncompressed(data)

    def _uncompressed(self, data: bytes) -> tuple[Luma, Picture]:
        width, height, stride = self._stream.width, self._stream.height, self._stream.stride
        if len(data) < height * stride:
            raise PictureDamaged(f"{len(data)} bytes of {height * stride} came")
        rows = np.frombuffer(data, np.uint8, height * stride).reshape(height, stride)
        packed = rows[:, : 2 * width].reshape(height, width, 2)
        full_range = self._stream.full_range
        luma = shrunk(np.ascontiguousarray(packed[..., 0]), *self._small)
        picture = YuyvPicture(packed, full_range=full_range)
        return luma if full_range else stretched(luma), picture

    def _count_damaged(self, error: PictureDamaged) -> None:
        self.damaged += 1
        if self.damaged == 1:
            # Once: a bad cable damages several a second, and the count is there to be read.
            _log.warning("%s sends damaged pictures, they are left out: %s", self.uri, error)

    def _time(self, taken_at: float | None) -> float:
        now = self._clock()
        believed = taken_at is not None and 0 <= now - taken_at <= _FRESH_S
        return taken_at if believed and taken_at is not None else now

    def _close(self) -> None:
        if self.damaged:
            _log.info("%s sent %d damaged pictures in all", self.uri, self.damaged)
        self._stream.close()


def open_v4l2(
    uri: SourceUri,
    *,
    clock: Clock,
    wait: Wait,
    root: Path = Path("/"),
    kernel: Kernel | None = None,
    stall_timeout_s: float = STALL_TIMEOUT_S,
) -> V4l2Source:
    """Open a camera device and start it. Raises SourceUnavailable with what was found."""
    if not sys.platform.startswith("linux"):
        raise SourceUnavailable(f"{uri.shown}: V4L2 cameras need Linux, this is {sys.platform}")
    kernel = kernel or LinuxKernel()
    size, fps = uri.size or _SIZE, uri.fps or _FPS
    try:
        stream = Stream(_under(root, uri.target), size=size, fps=fps, kernel=kernel)
    except (OSError, NoFormat) as error:
        raise SourceUnavailable(_why(uri.target, error, root, kernel)) from error
    if (stream.width, stream.height) != size:
        _log.info("%s delivers %dx%d", uri.shown, stream.width, stream.height)
    return V4l2Source(
        stream, uri=uri.shown, clock=clock, wait=wait, stall_timeout_s=stall_timeout_s
    )


def _under(root: Path, path: str) -> Path:
    return root / path.lstrip("/")


def _why(path: str, error: OSError | NoFormat, root: Path, kernel: Kernel) -> str:
    """What happened, what was found, what to do."""
    if isinstance(error, NoFormat):
        return f"{path} is no camera we can read: it offers {error}, expected MJPG or YUYV"
    if error.errno == errno.EBUSY:
        held = ", ".join(map(str, holders(path, root))) or "a process of another user"
        return f"{path} is busy: {held} has it; stop that first"
    if error.errno in (errno.EACCES, errno.EPERM):
        group = _group(_under(root, path))
        return (
            f"{path} may not be opened by this user: add it to group {group} "
            f"(sudo usermod -aG {group} $USER) and log in again"
        )
    found = "; ".join(map(str, list_cameras(root, kernel=kernel))) or "no /dev/video* at all"
    if error.errno in (errno.ENOTTY, errno.EINVAL):
        return f"{path} is no V4L2 camera; found: {found}"
    return f"{path} cannot be opened ({error.strerror}); found: {found}"


def _group(path: Path) -> str:
    try:
        return grp.getgrgid(path.stat().st_gid).gr_name
    except (OSError, KeyError):  # a group without a name, or the device has just gone
        return "video"
