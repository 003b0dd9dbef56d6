"""Where frames come from: the Source contract, and the one door to every implementation."""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Final, Self

from edge_runtime.capture.uri import SourceUri, parse
from edge_runtime.closeable import Closeable
from edge_runtime.types import Clock, Frame

Wait = Callable[[float], bool | None]
"""Sleeps for some seconds; True when the program is stopping (``Event.wait``), as gpiozero does."""


STALL_TIMEOUT_S: Final = 5.0
"""A camera that delivers nothing for so long is lost. Long exposures and slow starts take 2 s."""


class Source(Closeable):
    """A context-managed iterator of frames.

    Ends with StopIteration (a file's end, or after ``close``), with SourceLost when it delivered
    and has stopped, with SourceDamaged when the rest of a file cannot be read.
    """

    uri: str
    """What would open it again (``auto`` has been decided by then); secrets are masked."""
    description: str
    """In words, such as ``Pi camera imx708, 1536x864 at 30 fps``; secrets are masked."""
    live: bool
    """True: the newest frame wins (camera, RTSP). False: every frame counts (file, pictures)."""
    width: int | None
    height: int | None
    fps: float | None

    def __init__(self) -> None:
        self._closed = False
        self._delivered = 0

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Frame:
        if self._closed:
            raise StopIteration
        frame = self._next_frame(self._delivered)
        self._delivered += 1
        return frame

    def probe(self) -> None:
        """Take one frame and give it back, to see that frames come; the count starts after it."""
        self._next_frame(0).close()

    def close(self) -> None:
        """Give everything back. May be called twice, and while frames are still held."""
        if not self._closed:
            self._closed = True
            self._close()

    @abstractmethod
    def _next_frame(self, index: int) -> Frame:
        """The next frame, waiting no longer than this source's own timeout."""

    @abstractmethod
    def _close(self) -> None:
        """Give everything back; called once."""


def open_source(
    uri: str,
    *,
    clock: Clock = time.monotonic,
    wait: Wait = time.sleep,
    root: Path = Path("/"),
    stall_timeout_s: float = STALL_TIMEOUT_S,
) -> Source:
    """Open what ``uri`` names. The caller closes it.

    ``wait`` paces sources that have no rhythm of their own; ``root`` holds /dev, /proc and /sys.
    A live source that delivers nothing for ``stall_timeout_s`` is lost.
    Raises ConfigError (the URI is wrong), SourceUnavailable (what was tried and found),
    LibraryMissing (the demo without its photographs).
    """
    return open_parsed(
        parse(uri), clock=clock, wait=wait, root=root, stall_timeout_s=stall_timeout_s
    )


def open_parsed(
    uri: SourceUri, *, clock: Clock, wait: Wait, root: Path, stall_timeout_s: float
) -> Source:
    """As ``open_source``, for a URI already taken apart. Loads only the driver it needs."""
    if uri.scheme == "auto":
        from edge_runtime.capture.auto import open_auto

        return open_auto(clock=clock, wait=wait, root=root, stall_timeout_s=stall_timeout_s)
    if uri.scheme == "picamera":
        from edge_runtime.capture.picamera import open_picamera

        return open_picamera(
            uri, clock=clock, wait=wait, root=root, stall_timeout_s=stall_timeout_s
        )
    if uri.scheme == "v4l2":
        from edge_runtime.capture.v4l2 import open_v4l2

        return open_v4l2(uri, clock=clock, wait=wait, root=root, stall_timeout_s=stall_timeout_s)
    if uri.scheme == "rtsp":
        from edge_runtime.capture.video import open_rtsp

        return open_rtsp(uri, clock=clock, stall_timeout_s=stall_timeout_s)
    return _open_recorded(uri, clock, wait)


def _open_recorded(uri: SourceUri, clock: Clock, wait: Wait) -> Source:
    if uri.scheme == "pictures":
        from edge_runtime.capture.pictures import open_pictures

        return open_pictures(uri, clock=clock)
    if uri.scheme == "demo":
        from edge_runtime.capture.demo import open_demo

        return open_demo(uri, clock=clock, wait=wait)
    from edge_runtime.capture.video import open_video

    return open_video(uri, clock=clock, wait=wait)
