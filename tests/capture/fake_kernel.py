"""V4L2 devices behind the six kernel calls, by the layouts of linux/videodev2.h.

Structures are read and written as bytes at the offsets a C compiler printed for aarch64 and
x86-64, and requests are told apart by the numbers it printed: nothing is taken from the code under
test, so a wrong field or a wrong size there fails here.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import repeat
from pathlib import Path

QUERYCAP = 2154321408
ENUM_FMT = 3225441794
S_FMT = 3234878981
REQBUFS = 3222558216
QUERYBUF = 3227014665
QBUF = 3227014671
DQBUF = 3227014673
STREAMON = 1074026002
STREAMOFF = 1074026003
S_PARM = 3234616854

CAPTURE_STREAMING = 0x0400_0001
METADATA_STREAMING = 0x0480_0000
CODEC = 0x0400_4000


@dataclass
class Arrival:
    """One picture the camera sends."""

    data: bytes
    error: bool = False


@dataclass
class FakeDevice:
    """A /dev/video node. Numbers are errno values that calls answer with."""

    card: bytes = b"HD Webcam C525"
    driver: bytes = b"uvcvideo"
    device_caps: int = CAPTURE_STREAMING
    formats: tuple[bytes, ...] = (b"MJPG", b"YUYV")
    size: tuple[int, int] | None = None
    """The only size it can deliver; None: any."""
    quantization: int = 0
    arrivals: Iterator[Arrival] = field(default_factory=lambda: repeat(Arrival(b"")))
    open_fails: int = 0
    format_fails: int = 0
    dequeue_fails: int = 0
    silent: bool = False
    rate_fails: int = 0
    stride_padding: int = 0

    agreed: tuple[int, int, bytes] = (0, 0, b"")
    memories: list[FakeMemory] = field(default_factory=list)
    queued: list[int] = field(default_factory=list)
    streaming: bool = False
    opened: int = 0


class FakeMemory:
    def __init__(self, length: int) -> None:
        self.bytes = bytearray(length)
        self.closed = False

    def __getitem__(self, part: slice) -> bytes:
        assert not self.closed, "read after unmapping"
        return bytes(self.bytes[part])

    def close(self) -> None:
        self.closed = True


class FakeKernel:
    def __init__(
        self,
        devices: dict[str, FakeDevice],
        *,
        now: Callable[[], float] = lambda: 100.0,
        advance: Callable[[float], None] = lambda seconds: None,
    ) -> None:
        self.devices = devices
        self.now, self.advance = now, advance
        self.open_files: dict[int, FakeDevice] = {}

    def open(self, path: Path) -> int:
        device = self.devices.get(path.name)
        if device is None:
            raise failure(errno.ENOENT)
        if device.open_fails:
            raise failure(device.open_fails)
        fd = 100 + len(self.open_files) + device.opened
        device.opened += 1
        self.open_files[fd] = device
        return fd

    def close(self, fd: int) -> None:
        device = self.open_files.pop(fd)
        others = device in self.open_files.values()
        assert others or not device.streaming or device.dequeue_fails, "closed while streaming"

    def readable(self, fd: int, within_s: float) -> bool:
        device = self.open_files[fd]
        assert within_s < 60, "a wait must be bounded"
        if device.silent or (not device.queued and not device.dequeue_fails):
            self.advance(within_s)
            return False
        return True

    def map(self, fd: int, length: int, offset: int) -> FakeMemory:
        device = self.open_files[fd]
        assert offset == 0x1000 * len(device.memories)
        device.memories.append(FakeMemory(length))
        return device.memories[-1]

    def ioctl(self, fd: int, request: int, argument: ctypes.Structure | ctypes.c_int) -> None:
        memory = bytearray(bytes(argument))
        assert len(memory) == (request >> 16) & 0x3FFF, "the size is part of the request's number"
        answers = {
            QUERYCAP: self._querycap,
            ENUM_FMT: self._enum_fmt,
            S_FMT: self._s_fmt,
            S_PARM: self._s_parm,
            REQBUFS: self._reqbufs,
            QUERYBUF: self._querybuf,
            QBUF: self._qbuf,
            DQBUF: self._dqbuf,
            STREAMON: self._streamon,
            STREAMOFF: self._streamoff,
        }
        if request not in answers:
            raise failure(errno.ENOTTY)
        answers[request](self.open_files[fd], memory)
        ctypes.memmove(ctypes.addressof(argument), bytes(memory), len(memory))

    def _querycap(self, device: FakeDevice, memory: bytearray) -> None:
        if device.driver == b"not-v4l2":
            raise failure(errno.ENOTTY)
        whole = device.device_caps | 0x8480_0001
        struct.pack_into("16s32s32s", memory, 0, device.driver, device.card, b"usb-xhci-1.3")
        struct.pack_into("III", memory, 80, 0x060C00, whole, device.device_caps)

    def _enum_fmt(self, device: FakeDevice, memory: bytearray) -> None:
        index, kind = struct.unpack_from("II", memory, 0)
        if kind != 1 or index >= len(device.formats):
            raise failure(errno.EINVAL)
        struct.pack_into("4s", memory, 44, device.formats[index])

    def _s_fmt(self, device: FakeDevice, memory: bytearray) -> None:
        if device.format_fails:
            raise failure(device.format_fails)
        width, height = struct.unpack_from("II", memory, 8)
        (wanted,) = struct.unpack_from("4s", memory, 16)
        width, height = device.size or (width, height)
        chosen = wanted if wanted in device.formats else device.formats[0]
        stride = 2 * width + device.stride_padding if chosen == b"YUYV" else 0
        struct.pack_into("II4sIII", memory, 8, width, height, chosen, 1, stride, 2 * width * height)
        struct.pack_into("I", memory, 48, device.quantization)
        device.agreed = width, height, chosen

    def _s_parm(self, device: FakeDevice, memory: bytearray) -> None:
        if device.rate_fails:
            raise failure(device.rate_fails)
        numerator, denominator = struct.unpack_from("II", memory, 12)
        if denominator / numerator > 30:
            struct.pack_into("II", memory, 12, 1, 30)

    def _reqbufs(self, device: FakeDevice, memory: bytearray) -> None:
        count, kind, how = struct.unpack_from("III", memory, 0)
        assert (kind, how) == (1, 1)
        assert all(mapped.closed for mapped in device.memories), "buffers are still mapped"
        device.memories.clear()
        struct.pack_into("I", memory, 0, min(count, 3))

    def _querybuf(self, device: FakeDevice, memory: bytearray) -> None:
        (index,) = struct.unpack_from("I", memory, 0)
        struct.pack_into("Q", memory, 64, 0x1000 * index)
        struct.pack_into("I", memory, 72, 4 << 20)

    def _qbuf(self, device: FakeDevice, memory: bytearray) -> None:
        (index,) = struct.unpack_from("I", memory, 0)
        assert index not in device.queued, "queued twice"
        device.queued.append(index)

    def _dqbuf(self, device: FakeDevice, memory: bytearray) -> None:
        if device.dequeue_fails:
            raise failure(device.dequeue_fails)
        arrival = next(device.arrivals)
        index = device.queued.pop(0)
        device.memories[index].bytes[: len(arrival.data)] = arrival.data
        taken_at = self.now() - 0.03
        flags = 0x2000 | (0x40 if arrival.error else 0)
        struct.pack_into("IIII", memory, 0, index, 1, len(arrival.data), flags)
        struct.pack_into("qq", memory, 24, int(taken_at), int(taken_at % 1 * 1e6))

    def _streamon(self, device: FakeDevice, memory: bytearray) -> None:
        assert struct.unpack("i", memory) == (1,)
        device.streaming = True

    def _streamoff(self, device: FakeDevice, memory: bytearray) -> None:
        if device.dequeue_fails == errno.ENODEV:
            raise failure(errno.ENODEV)
        device.streaming = False
        device.queued.clear()


def failure(number: int) -> OSError:
    return OSError(number, os.strerror(number))
