"""Our structures against what a C compiler says of linux/videodev2.h on aarch64 and x86-64."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path

import pytest

from edge_runtime.capture import kernel
from tests.capture import fake_kernel


@pytest.mark.parametrize(
    ("structure", "size"),
    [
        (kernel.Capability, 104),
        (kernel.FormatDescription, 64),
        (kernel.Format, 208),
        (kernel.StreamParameters, 204),
        (kernel.BufferRequest, 20),
        (kernel.Buffer, 88),
    ],
)
def test_sizes(structure: type[ctypes.Structure], size: int) -> None:
    assert ctypes.sizeof(structure) == size


@pytest.mark.parametrize(
    ("structure", "field", "offset"),
    [
        (kernel.Capability, "device_caps", 88),
        (kernel.FormatDescription, "pixelformat", 44),
        (kernel.Format, "width", 8),
        (kernel.Format, "quantization", 48),
        (kernel.StreamParameters, "numerator", 12),
        (kernel.Buffer, "seconds", 24),
        (kernel.Buffer, "sequence", 56),
        (kernel.Buffer, "memory", 60),
        (kernel.Buffer, "offset", 64),
        (kernel.Buffer, "length", 72),
    ],
)
def test_offsets(structure: type[ctypes.Structure], field: str, offset: int) -> None:
    assert getattr(structure, field).offset == offset


@pytest.mark.parametrize(
    "name",
    [
        "QUERYCAP",
        "ENUM_FMT",
        "S_FMT",
        "REQBUFS",
        "QUERYBUF",
        "QBUF",
        "DQBUF",
        "STREAMON",
        "STREAMOFF",
        "S_PARM",
    ],
)
def test_request_numbers(name: str) -> None:
    assert getattr(kernel, name) == getattr(fake_kernel, name)


def test_four_letters_and_their_number() -> None:
    assert kernel.fourcc_code("MJPG") == 0x47504A4D
    assert kernel.fourcc(0x56595559) == "YUYV"


def test_the_real_kernel_says_what_is_no_camera(tmp_path: Path) -> None:
    plain = tmp_path / "video0"
    plain.write_bytes(b"no camera")
    linux = kernel.LinuxKernel()
    fd = linux.open(plain)
    try:
        with pytest.raises(OSError, match="Inappropriate ioctl"):
            linux.ioctl(fd, kernel.QUERYCAP, kernel.Capability())
    finally:
        linux.close(fd)


def test_the_real_kernel_waits_and_maps(tmp_path: Path) -> None:
    linux = kernel.LinuxKernel()
    reading, writing = os.pipe()
    try:
        assert not linux.readable(reading, 0.0)
        os.write(writing, b"x")
        assert linux.readable(reading, 0.0)
    finally:
        os.close(reading)
        os.close(writing)
    (tmp_path / "memory").write_bytes(b"picture" * 1000)
    fd = linux.open(tmp_path / "memory")
    memory = linux.map(fd, 7000, 0)
    linux.close(fd)
    assert memory[:7] == b"picture"
    memory.close()
