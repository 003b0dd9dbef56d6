"""Video files and network cameras, through FFmpeg as OpenCV brings it."""

from __future__ import annotations

import logging
import os
import socket
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import cv2
import numpy as np

from edge_runtime.capture.glance import glance_of_bgr
from edge_runtime.capture.pace import Pace
from edge_runtime.capture.picture import BgrPicture
from edge_runtime.capture.source import STALL_TIMEOUT_S, Source, Wait
from edge_runtime.capture.uri import SourceUri
from edge_runtime.errors import SourceDamaged, SourceLost, SourceUnavailable
from edge_runtime.types import Bgr, Clock, Frame

_log = logging.getLogger(__name__)

_PORTS: Final = {"rtsp": 554, "rtsps": 322}
_CONNECT_S: Final = 3.0
_OPEN_MS: Final = 5000
_USUAL_FPS: Final = 30.0

# A container announces a duration, not frames: 22 whole clips end up to 1 frame before their
# announced number, and a varying rate is estimated. More than this is missing from damaged files.
_TOLERANCE: Final = 0.02
_TOLERATED_FRAMES: Final = 3

# In a damaged MP4 the frames after the damage come after up to 4 failed reads (measured on clips
# with a tenth overwritten); a damaged Matroska file does not go on at all.
_ATTEMPTS: Final = 8


class VideoSource(Source):
    """The frames of a file, one after the other, or at the file's own pace as if they were live."""

    def __init__(
        self, capture: cv2.VideoCapture, *, uri: SourceUri, clock: Clock, wait: Wait
    ) -> None:
        super().__init__()
        self.uri = uri.shown
        self.live = uri.realtime
        self.width = int(capture.get(cv2.CAP_PROP_FRAME_WIDTH))
        self.height = int(capture.get(cv2.CAP_PROP_FRAME_HEIGHT))
        self.fps = capture.get(cv2.CAP_PROP_FPS) or None
        self._path = Path(uri.target)
        self.description = f"video {self._path.name}, {self.width}x{self.height}"
        if self.fps:
            self.description += f" at {self.fps:g} fps"
        self._expected = max(int(capture.get(cv2.CAP_PROP_FRAME_COUNT)), 0)
        self._loop = uri.loop
        self._pace = Pace(self.fps or _USUAL_FPS, clock=clock, wait=wait) if uri.realtime else None
        self._capture = capture
        self._clock = clock
        self._read = 0
        self._damaged = False

    def _next_frame(self, index: int) -> Frame:
        if self._pace and self._pace.hold():
            raise StopIteration
        bgr = self._read_on()
        if bgr is None:
            self._check_whole()
            bgr = self._again() if self._loop else None
        if bgr is None:
            raise StopIteration
        self._read += 1
        return Frame(
            index,
            self._clock(),
            glance_of_bgr(bgr),
            BgrPicture(bgr),
            name=str(self._path),
            recorded_s=None if self.live else index / (self.fps or _USUAL_FPS),
        )

    def _read_on(self) -> Bgr | None:
        """The next frame that can be decoded; damaged ones before it are noticed."""
        for attempt in range(_ATTEMPTS):
            bgr = _read(self._capture)
            if bgr is not None:
                self._damaged = self._damaged or attempt > 0
                return bgr
        return None

    def _check_whole(self) -> None:
        missing = self._expected - self._read
        short = missing > max(_TOLERATED_FRAMES, _TOLERANCE * self._expected)
        if short or self._damaged or not self._read:
            raise SourceDamaged(
                f"{self._path} is damaged or cut short: "
                f"read {self._read} of about {self._expected} frames"
            )

    def _again(self) -> Bgr | None:
        """From the start. Opened anew, for not every container can seek to its first frame."""
        self._capture.release()
        self._capture = _opened(self._path)
        self._read, self._damaged = 0, False
        return self._read_on()

    def _close(self) -> None:
        self._capture.release()


class RtspSource(Source):
    """A network camera. Frames wait nowhere: the newest wins."""

    def __init__(
        self, capture: cv2.VideoCapture, *, uri: SourceUri, clock: Clock, stall_timeout_s: float
    ) -> None:
        super().__init__()
        self.uri = uri.shown
        self.live = True
        self.width = int(capture.get(cv2.CAP_PROP_FRAME_WIDTH)) or None
        self.height = int(capture.get(cv2.CAP_PROP_FRAME_HEIGHT)) or None
        self.fps = capture.get(cv2.CAP_PROP_FPS) or None
        self.description = f"network camera {uri.shown}"
        if self.width:
            self.description += f", {self.width}x{self.height}"
        self._capture = capture
        self._clock = clock
        self._stall_timeout_s = stall_timeout_s

    def _next_frame(self, index: int) -> Frame:
        bgr = _read(self._capture)
        if bgr is None:
            raise SourceLost(f"{self.uri} stopped delivering (waited {self._stall_timeout_s:g} s)")
        return Frame(index, self._clock(), glance_of_bgr(bgr), BgrPicture(bgr))

    def _close(self) -> None:
        self._capture.release()


def open_video(uri: SourceUri, *, clock: Clock, wait: Wait) -> VideoSource:
    """Open a video file. Raises SourceUnavailable."""
    path = Path(uri.target)
    return VideoSource(_opened(path), uri=uri, clock=clock, wait=wait)


def open_rtsp(
    uri: SourceUri, *, clock: Clock, stall_timeout_s: float = STALL_TIMEOUT_S
) -> RtspSource:
    """Connect to a network camera, over TCP and with timeouts. Raises SourceUnavailable."""
    _reach(uri)
    read_ms = round(stall_timeout_s * 1000)
    timeouts = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, _OPEN_MS, cv2.CAP_PROP_READ_TIMEOUT_MSEC, read_ms]
    capture = _ffmpeg(uri.target, timeouts)
    if not capture.isOpened():
        raise SourceUnavailable(
            f"{uri.shown} answers but gives no video; check the path, the user and the password"
        )
    return RtspSource(capture, uri=uri, clock=clock, stall_timeout_s=stall_timeout_s)


def _reach(uri: SourceUri) -> None:
    """Knock at the port first: FFmpeg would not say why it fails."""
    try:
        parts = urlsplit(uri.target)
        host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
    except ValueError:
        # Without the cause: its text holds the part that was not understood, maybe a password's.
        raise SourceUnavailable(
            f"{uri.shown} is no valid address (in a password, write @ as %40 and / as %2F)"
        ) from None
    try:
        socket.create_connection((host, port), timeout=_CONNECT_S).close()
    except OSError as error:
        why = error.strerror or str(error)
        raise SourceUnavailable(
            f"{uri.shown}: {host} does not answer at port {port} ({why})"
        ) from error


def _opened(path: Path) -> cv2.VideoCapture:
    if not path.exists():
        raise SourceUnavailable(f"{path} does not exist")
    if path.is_dir():
        raise SourceUnavailable(
            f"{path} is a folder, expected a video (or write pictures://{path})"
        )
    try:
        path.open("rb").close()
    except PermissionError as error:
        raise SourceUnavailable(f"{path} may not be read by this user") from error
    capture = _ffmpeg(str(path.absolute()), [])
    if not capture.isOpened():
        size = path.stat().st_size
        raise SourceUnavailable(f"{path} is no video that can be read ({size} bytes)")
    return capture


def _ffmpeg(address: str, parameters: list[int]) -> cv2.VideoCapture:
    """Open without FFmpeg's and OpenCV's own lines on stderr; ours says what matters."""
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    os.environ.setdefault("OPENCV_FFMPEG_CAPTURE_OPTIONS", "rtsp_transport;tcp")
    _silence_opencv()
    return cv2.VideoCapture(address, cv2.CAP_FFMPEG, parameters)


def _silence_opencv() -> None:
    if hasattr(cv2, "setLogLevel"):  # OpenCV 4, where 0 is silent; 5 moved the function
        cv2.setLogLevel(0)
    else:
        cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)


def _read(capture: cv2.VideoCapture) -> Bgr | None:
    arrived, bgr = capture.read()
    return np.asarray(bgr, np.uint8) if arrived else None
