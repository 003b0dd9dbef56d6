"""One V4L2 device that streams: format agreed, buffers mapped, pictures taken one by one."""

from __future__ import annotations

import ctypes
import errno
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Final, NamedTuple

from edge_runtime.capture import kernel as v4l2
from edge_runtime.capture.devices import FORMATS, offered_formats
from edge_runtime.capture.kernel import Kernel, Memory
from edge_runtime.capture.uri import Size

_BUFFERS: Final = 4


class NoFormat(Exception):
    """The device offers none of the pixel formats we read."""

    def __init__(self, offered: tuple[str, ...]) -> None:
        super().__init__(", ".join(offered) or "none")


class Taken(NamedTuple):
    """What one buffer held."""

    data: bytes
    """Empty when the driver says the picture is damaged."""
    taken_at: float | None
    """The driver's own monotonic time, where it keeps one."""


class Stream:
    """A device which is streaming. Errors are OSError with the kernel's errno, or NoFormat."""

    def __init__(self, path: Path, *, size: Size, fps: float, kernel: Kernel) -> None:
        self._kernel = kernel
        self._buffers: list[Memory] = []
        with ExitStack() as undo:
            self._fd = kernel.open(path)
            undo.callback(kernel.close, self._fd)
            self.name = self._asked_name()
            self._agree(size)
            self._set_rate(fps)
            undo.callback(self._unmap)
            self._map()
            self._ask(v4l2.STREAMON, ctypes.c_int(v4l2.CAPTURE))
            self._undo = undo.pop_all()

    def take(self, within_s: float) -> Taken | None:
        """The next picture, copied; its buffer is already back with the camera. None: too late."""
        if not self._kernel.readable(self._fd, within_s):
            return None
        buffer = v4l2.Buffer(type=v4l2.CAPTURE, memory=v4l2.MMAP)
        try:
            self._ask(v4l2.DQBUF, buffer)
        except BlockingIOError:
            return None
        broken = buffer.flags & v4l2.BUF_ERROR
        data = b"" if broken else bytes(self._buffers[buffer.index][: buffer.bytesused])
        taken_at = _monotonic(buffer)
        self._ask(v4l2.QBUF, buffer)
        return Taken(data, taken_at)

    def close(self) -> None:
        # A device that was pulled out answers ENODEV; its buffers still need unmapping.
        with suppress(OSError):
            self._ask(v4l2.STREAMOFF, ctypes.c_int(v4l2.CAPTURE))
        self._undo.close()

    def _ask(self, request: int, argument: v4l2.Argument) -> None:
        self._kernel.ioctl(self._fd, request, argument)

    def _asked_name(self) -> str:
        capability = v4l2.Capability()
        self._ask(v4l2.QUERYCAP, capability)
        return str(capability.card.decode("utf-8", "replace"))

    def _agree(self, size: Size) -> None:
        """The first of our formats that the driver accepts, at the size nearest to ``size``."""
        offered = offered_formats(self._fd, self._kernel)
        for wanted in (known for known in FORMATS if known in offered):
            agreed = v4l2.Format(
                type=v4l2.CAPTURE,
                width=size[0],
                height=size[1],
                pixelformat=v4l2.fourcc_code(wanted),
            )
            self._ask(v4l2.S_FMT, agreed)
            if v4l2.fourcc(agreed.pixelformat) == wanted:
                self._keep(agreed)
                return
        raise NoFormat(offered)

    def _keep(self, agreed: v4l2.Format) -> None:
        self.width, self.height = int(agreed.width), int(agreed.height)
        self.pixelformat = v4l2.fourcc(agreed.pixelformat)
        self.stride = int(agreed.bytesperline)
        self.full_range = agreed.quantization == v4l2.FULL_RANGE

    def _set_rate(self, fps: float) -> None:
        asked = v4l2.StreamParameters(type=v4l2.CAPTURE, numerator=1000)
        asked.denominator = round(1000 * fps)
        self.fps: float | None = None
        try:
            self._ask(v4l2.S_PARM, asked)
        except OSError as error:
            if error.errno not in (errno.ENOTTY, errno.EINVAL):  # "my rate cannot be set"
                raise
            return
        if asked.numerator:
            self.fps = asked.denominator / asked.numerator

    def _map(self) -> None:
        request = v4l2.BufferRequest(count=_BUFFERS, type=v4l2.CAPTURE, memory=v4l2.MMAP)
        self._ask(v4l2.REQBUFS, request)
        for index in range(request.count):
            buffer = v4l2.Buffer(index=index, type=v4l2.CAPTURE, memory=v4l2.MMAP)
            self._ask(v4l2.QUERYBUF, buffer)
            self._buffers.append(self._kernel.map(self._fd, buffer.length, buffer.offset))
            self._ask(v4l2.QBUF, buffer)

    def _unmap(self) -> None:
        for memory in self._buffers:
            memory.close()
        self._buffers.clear()


def _monotonic(buffer: v4l2.Buffer) -> float | None:
    if buffer.flags & v4l2.BUF_TIMESTAMP_MASK != v4l2.BUF_TIMESTAMP_MONOTONIC:
        return None
    return float(buffer.seconds + buffer.microseconds / 1e6)
