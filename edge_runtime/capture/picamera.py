"""A Raspberry Pi camera through picamera2, which belongs to the system's Python (apt).

Two streams, both planar YUV: ``lores``, whose Y plane the ISP makes for nothing and which is the
glance as it stands, and ``main``, which costs 1.5 bytes a pixel (RGB888 costs 3) in the scarce
contiguous memory and is read only inside regions. No raw stream is asked for: it is the largest of
all and nobody reads it. ``queue=False``, because a request that waits for us in picamera2's queue
is a buffer which the sensor does without.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from edge_runtime.capture.glance import glance_size
from edge_runtime.capture.libcamera import Library, load, why_not_opened
from edge_runtime.capture.picture import I420Picture, Plane
from edge_runtime.capture.source import STALL_TIMEOUT_S, Source, Wait
from edge_runtime.capture.uri import Size, SourceUri
from edge_runtime.errors import SourceLost, SourceUnavailable
from edge_runtime.types import Clock, Frame

_log = logging.getLogger(__name__)

_SIZE: Final = (1280, 720)
_FPS: Final = 30.0
_BUFFERS: Final = 4

# How long one wait lasts before we look whether the program is stopping.
_SLICE_S: Final = 0.25
_STOP_TIMEOUT_S: Final = 3.0

# SensorTimestamp is believed when it is at most this old.
_FRESH_S: Final = 1.0

# Cameras whose driver no longer answers. Collecting one would call its close(), which waits for
# the driver for ever; so they are kept until the process ends.
_abandoned: list[Any] = []


class Lease:
    """One request, ours until it is released; released once, and never while it is being read."""

    def __init__(self, request: Any, mapped: Callable[..., Any]) -> None:
        self._request = request
        self._mapped = mapped
        self._lock = threading.Lock()

    @contextmanager
    def plane(self, stream: str) -> Iterator[Plane]:
        """The memory of ``main`` or ``lores``: (height * 3 / 2, stride)."""
        with self._lock:
            if self._request is None:
                raise ValueError("the frame was closed, its pixels are with the camera again")
            with self._mapped(self._request, stream, write=False) as memory:
                yield memory.array

    def taken_at(self) -> float | None:
        """When the sensor saw the first row, monotonic seconds."""
        stamp_ns = self._request.get_metadata().get("SensorTimestamp")
        return None if stamp_ns is None else float(stamp_ns) / 1e9

    def release(self) -> None:
        with self._lock:
            request, self._request = self._request, None
        if request is not None:
            request.release()

    @property
    def held(self) -> bool:
        return self._request is not None


class PicameraSource(Source):
    """A started Pi camera. Frames hold a camera buffer each until they are closed."""

    def __init__(
        self,
        camera: Any,
        library: Library,
        *,
        uri: str,
        name: str,
        clock: Clock,
        wait: Wait,
        stall_timeout_s: float,
    ) -> None:
        super().__init__()
        configured = camera.camera_configuration()
        self.uri = uri
        self.live = True
        self.width, self.height = configured["main"]["size"]
        low_us, _ = configured["controls"]["FrameDurationLimits"]
        self.fps = 1e6 / low_us
        self.description = f"Pi camera {name}, {self.width}x{self.height} at {self.fps:.3g} fps"
        self._size: Size = configured["main"]["size"]
        self._lores: Size = configured["lores"]["size"]
        self._camera = camera
        self._library = library
        self._stall_timeout_s = stall_timeout_s
        self._clock = clock
        self._wait = wait
        self._leases: list[Lease] = []

    def _next_frame(self, index: int) -> Frame:
        lease = Lease(self._request(), self._library.mapped_array)
        self._leases = [held for held in self._leases if held.held] + [lease]
        width, height = self._lores
        with lease.plane("lores") as memory:
            # One copy: on older systems camera memory is uncached and slow to read twice.
            luma = memory[:height, :width].copy()
        picture = I420Picture(lambda: lease.plane("main"), *self._size)
        return Frame(index, self._time(lease.taken_at()), luma, picture, release=lease.release)

    def _request(self) -> Any:
        """The next completed request; waits in slices of the timeout, so that we can be stopped."""
        job = self._camera.capture_request(wait=False)
        deadline = self._clock() + self._stall_timeout_s
        while (left := deadline - self._clock()) > 0:
            try:
                return self._camera.wait(job, timeout=min(left, _SLICE_S))
            except TimeoutError:
                if self._wait(0):
                    self._camera.cancel_all_and_flush()
                    raise StopIteration from None
            except RuntimeError as error:
                raise SourceLost(f"{self.uri} failed ({error})") from error
        self._camera.cancel_all_and_flush()
        raise SourceLost(
            f"{self.uri} delivered no picture for {self._stall_timeout_s:g} s; "
            "is its ribbon cable firm?"
        )

    def _time(self, taken_at: float | None) -> float:
        now = self._clock()
        fresh = taken_at is not None and 0 <= now - taken_at <= _FRESH_S
        return taken_at if fresh and taken_at is not None else now

    def _close(self) -> None:
        # Frames may still be held; their memory goes away with the camera, so take it back first.
        for lease in self._leases:
            lease.release()
        shut(self._camera, self.uri)


def shut(camera: Any, uri: str) -> None:
    """Stop and close a camera, or give it up: its own ``close`` waits for the driver for ever."""
    try:
        if camera.started:
            job = camera.dispatch_functions([camera.stop_], wait=False, immediate=True)
            camera.wait(job, timeout=_STOP_TIMEOUT_S)
        camera.close()
    except TimeoutError:
        camera.cancel_all_and_flush()
        _abandoned.append(camera)
        _log.error("the driver of %s does not stop; only a restart may free the camera", uri)
    except (RuntimeError, OSError) as error:
        _log.warning("%s did not close cleanly: %s", uri, error)


def open_picamera(
    uri: SourceUri,
    *,
    clock: Clock,
    wait: Wait,
    root: Path = Path("/"),
    stall_timeout_s: float = STALL_TIMEOUT_S,
) -> PicameraSource:
    """Open and start a Pi camera. Raises SourceUnavailable with what was found and what to do."""
    library = load(root)
    name = _model(library, int(uri.target))
    try:
        camera = library.picamera2(int(uri.target))
    except (RuntimeError, OSError, IndexError) as error:
        raise SourceUnavailable(why_not_opened(uri.shown, name, error, root)) from error
    try:
        camera.configure(_configuration(camera, library, uri))
        camera.start()
    except (RuntimeError, OSError, ValueError) as error:
        shut(camera, uri.shown)
        raise SourceUnavailable(
            f"{uri.shown} ({name}) cannot be started ({error}); try a smaller size or buffer_count"
        ) from error
    return PicameraSource(
        camera,
        library,
        uri=uri.shown,
        name=name,
        clock=clock,
        wait=wait,
        stall_timeout_s=stall_timeout_s,
    )


def _model(library: Library, number: int) -> str:
    cameras = library.cameras()
    models = [str(info.get("Model", "unknown")) for info in cameras]
    if not models:
        raise SourceUnavailable(
            "no Pi camera is connected (rpicam-hello --list-cameras finds none either); "
            "check the ribbon cable and its direction"
        )
    if number >= len(models):
        found = ", ".join(f"{at} ({model})" for at, model in enumerate(models))
        raise SourceUnavailable(f"there is no Pi camera {number}; found: {found}")
    if "/usb" in str(cameras[number].get("Id")):
        # libcamera lists webcams too, after the Pi cameras, and converts their pixels in software.
        raise SourceUnavailable(
            f"camera {number} ({models[number]}) is a USB camera; write v4l2:///dev/video0"
        )
    return models[number]


def _configuration(camera: Any, library: Library, uri: SourceUri) -> Any:
    size = uri.size or _SIZE
    lores = uri.lores or _even(glance_size(*size))
    period_us = round(1e6 / (uri.fps or _FPS))
    return camera.create_video_configuration(
        main={"size": size, "format": "YUV420"},
        lores={"size": lores, "format": "YUV420"},
        raw=None,
        transform=library.transform(hflip=uri.hflip, vflip=uri.vflip),
        # Full range, BT.601: as JPEG has it and as the models were trained.
        colour_space=library.colour_space.Sycc(),
        buffer_count=uri.buffer_count or _BUFFERS,
        controls={"FrameDurationLimits": (period_us, period_us)},
        display=None,
        encode=None,
        queue=False,
    )


def _even(size: Size) -> Size:
    return size[0] & ~1, size[1] & ~1
