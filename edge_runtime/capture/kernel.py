"""Video4Linux2 as the kernel speaks it: structures, request numbers, and the six calls we make.

Layouts and numbers from ``linux/videodev2.h`` (kernel 6.12); they are the same on aarch64 and
x86-64. Only what a single-planar camera needs is here.
"""

from __future__ import annotations

import ctypes
import fcntl
import mmap
import os
import select
from pathlib import Path
from typing import Final, Protocol

CAPTURE: Final = 1
"""V4L2_BUF_TYPE_VIDEO_CAPTURE."""
MMAP: Final = 1
"""V4L2_MEMORY_MMAP."""

CAP_VIDEO_CAPTURE: Final = 0x0000_0001
CAP_VIDEO_M2M: Final = 0x0000_C000
"""V4L2_CAP_VIDEO_M2M and its multi-planar twin: codecs and scalers."""
CAP_STREAMING: Final = 0x0400_0000
CAP_DEVICE_CAPS: Final = 0x8000_0000

BUF_ERROR: Final = 0x40
BUF_TIMESTAMP_MASK: Final = 0xE000
BUF_TIMESTAMP_MONOTONIC: Final = 0x2000

FULL_RANGE: Final = 1
"""V4L2_QUANTIZATION_FULL_RANGE."""


class Capability(ctypes.Structure):
    """struct v4l2_capability, 104 bytes."""

    _fields_ = (
        ("driver", ctypes.c_char * 16),
        ("card", ctypes.c_char * 32),
        ("bus_info", ctypes.c_char * 32),
        ("version", ctypes.c_uint32),
        ("capabilities", ctypes.c_uint32),
        ("device_caps", ctypes.c_uint32),
        ("reserved", ctypes.c_uint32 * 3),
    )


class FormatDescription(ctypes.Structure):
    """struct v4l2_fmtdesc, 64 bytes."""

    _fields_ = (
        ("index", ctypes.c_uint32),
        ("type", ctypes.c_uint32),
        ("flags", ctypes.c_uint32),
        ("description", ctypes.c_char * 32),
        ("pixelformat", ctypes.c_uint32),
        ("mbus_code", ctypes.c_uint32),
        ("reserved", ctypes.c_uint32 * 3),
    )


class Format(ctypes.Structure):
    """struct v4l2_format with its v4l2_pix_format, 208 bytes; the union is aligned to 8."""

    _fields_ = (
        ("type", ctypes.c_uint32),
        ("aligned", ctypes.c_uint32),
        ("width", ctypes.c_uint32),
        ("height", ctypes.c_uint32),
        ("pixelformat", ctypes.c_uint32),
        ("field", ctypes.c_uint32),
        ("bytesperline", ctypes.c_uint32),
        ("sizeimage", ctypes.c_uint32),
        ("colorspace", ctypes.c_uint32),
        ("priv", ctypes.c_uint32),
        ("flags", ctypes.c_uint32),
        ("ycbcr_enc", ctypes.c_uint32),
        ("quantization", ctypes.c_uint32),
        ("xfer_func", ctypes.c_uint32),
        ("rest", ctypes.c_uint8 * 152),
    )


class StreamParameters(ctypes.Structure):
    """struct v4l2_streamparm with its v4l2_captureparm, 204 bytes."""

    _fields_ = (
        ("type", ctypes.c_uint32),
        ("capability", ctypes.c_uint32),
        ("capturemode", ctypes.c_uint32),
        ("numerator", ctypes.c_uint32),
        ("denominator", ctypes.c_uint32),
        ("rest", ctypes.c_uint8 * 184),
    )


class BufferRequest(ctypes.Structure):
    """struct v4l2_requestbuffers, 20 bytes."""

    _fields_ = (
        ("count", ctypes.c_uint32),
        ("type", ctypes.c_uint32),
        ("memory", ctypes.c_uint32),
        ("capabilities", ctypes.c_uint32),
        ("flags", ctypes.c_uint32),
    )


class Buffer(ctypes.Structure):
    """struct v4l2_buffer, 88 bytes where a long has 64 bits."""

    _fields_ = (
        ("index", ctypes.c_uint32),
        ("type", ctypes.c_uint32),
        ("bytesused", ctypes.c_uint32),
        ("flags", ctypes.c_uint32),
        ("field", ctypes.c_uint32),
        ("seconds", ctypes.c_long),
        ("microseconds", ctypes.c_long),
        ("timecode", ctypes.c_uint32 * 4),
        ("sequence", ctypes.c_uint32),
        ("memory", ctypes.c_uint32),
        ("offset", ctypes.c_ulong),
        ("length", ctypes.c_uint32),
        ("reserved", ctypes.c_uint32 * 2),
    )


def _number(direction: int, nr: int, kind: type[ctypes.Structure] | type[ctypes.c_int]) -> int:
    """_IOC of ``asm-generic/ioctl.h``: direction 1 writes, 2 reads, 3 both."""
    return direction << 30 | ctypes.sizeof(kind) << 16 | ord("V") << 8 | nr


QUERYCAP: Final = _number(2, 0, Capability)
ENUM_FMT: Final = _number(3, 2, FormatDescription)
S_FMT: Final = _number(3, 5, Format)
REQBUFS: Final = _number(3, 8, BufferRequest)
QUERYBUF: Final = _number(3, 9, Buffer)
QBUF: Final = _number(3, 15, Buffer)
DQBUF: Final = _number(3, 17, Buffer)
STREAMON: Final = _number(1, 18, ctypes.c_int)
STREAMOFF: Final = _number(1, 19, ctypes.c_int)
S_PARM: Final = _number(3, 22, StreamParameters)

Argument = ctypes.Structure | ctypes.c_int


def fourcc(code: int) -> str:
    """A pixel format's four letters, such as ``MJPG``."""
    return code.to_bytes(4, "little").decode("latin-1")


def fourcc_code(letters: str) -> int:
    """The number of a pixel format's four letters."""
    return int.from_bytes(letters.encode("latin-1"), "little")


class Memory(Protocol):
    """A mapped buffer."""

    def __getitem__(self, part: slice, /) -> bytes: ...

    def close(self) -> None: ...


class Kernel(Protocol):
    """The calls we make. Errors are OSError with the kernel's errno."""

    def open(self, path: Path) -> int: ...

    def ioctl(self, fd: int, request: int, argument: Argument) -> None: ...

    def readable(self, fd: int, within_s: float) -> bool:
        """Wait until a buffer is ready; False when none came in time."""

    def map(self, fd: int, length: int, offset: int) -> Memory: ...

    def close(self, fd: int) -> None: ...


class LinuxKernel:
    """The real one."""

    def open(self, path: Path) -> int:
        # Non-blocking, so that taking a buffer can never hang: only ``readable`` waits.
        return os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)

    def ioctl(self, fd: int, request: int, argument: Argument) -> None:
        fcntl.ioctl(fd, request, argument)

    def readable(self, fd: int, within_s: float) -> bool:
        return bool(select.select([fd], [], [], max(within_s, 0.0))[0])

    def map(self, fd: int, length: int, offset: int) -> Memory:
        shared = mmap.MAP_SHARED
        return mmap.mmap(fd, length, shared, mmap.PROT_READ | mmap.PROT_WRITE, offset=offset)

    def close(self, fd: int) -> None:
        os.close(fd)
