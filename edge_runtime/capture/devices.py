"""What camera devices this machine has, and who holds them: for ``auto``, ``doctor`` and errors."""

from __future__ import annotations

import errno
import logging
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge_runtime.capture import kernel as v4l2
from edge_runtime.capture.kernel import Kernel, LinuxKernel

_log = logging.getLogger(__name__)

JPEG_FORMATS = ("MJPG", "JPEG")
FORMATS = (*JPEG_FORMATS, "YUYV")
"""The pixel formats we can read, the cheapest first."""

# Capture nodes of image pipelines and codecs: they say "capture" but need libcamera to feed them,
# and reading them blocks for ever. Names of Raspberry Pi OS kernels 6.1 to 6.12.
_NOT_CAMERAS = ("bcm2835-", "pispbe", "rp1-cfe", "rpi-", "rpivid", "unicam")

# A driver that never says "no more" is broken; it shall not keep us.
_MOST_FORMATS = 64


@dataclass(frozen=True, slots=True)
class Holder:
    """A process that has a device open."""

    pid: int
    name: str

    def __str__(self) -> str:
        return f"{self.name} (process {self.pid})"


@dataclass(frozen=True, slots=True)
class CameraDevice:
    """One /dev/video node. None where the device could not be asked."""

    path: str
    """As in ``/dev/video0``."""
    name: str
    """The camera's own name, from the driver or /sys."""
    driver: str | None
    is_capture: bool | None
    """True: a camera whose pixels we can read; False: metadata, codec or pipeline node."""
    formats: tuple[str, ...]
    """Pixel formats by their four letters; empty where it could not be asked."""
    held_by: tuple[Holder, ...]
    """Only processes this user may look into; root sees all."""
    readable: bool
    """This user may open it (group ``video`` on Debian)."""

    def __str__(self) -> str:
        kind = {True: "camera", False: "no camera", None: "not asked"}[self.is_capture]
        held = f", held by {', '.join(map(str, self.held_by))}" if self.held_by else ""
        return f"{self.path} ({self.name}, {kind}{held})"


def list_cameras(
    root: Path = Path("/"), *, kernel: Kernel | None = None
) -> tuple[CameraDevice, ...]:
    """Every /dev/video node in the order of its number. Opens none for longer than a question."""
    kernel = kernel or LinuxKernel()
    nodes = (root / "dev").glob("video*")
    numbered = sorted((node for node in nodes if _number(node) is not None), key=_number_of)
    return tuple(_described(node, root, kernel) for node in numbered)


def holders(path: str, root: Path = Path("/")) -> tuple[Holder, ...]:
    """The processes that have ``path`` open, as far as this user may see."""
    found = {pid for pid in _processes(root) if _has_open(root / "proc" / str(pid), path)}
    return tuple(Holder(pid, _process_name(root, pid)) for pid in sorted(found))


def offered_formats(fd: int, kernel: Kernel) -> tuple[str, ...]:
    """The pixel formats an open device offers, by their four letters."""
    formats: list[str] = []
    described = v4l2.FormatDescription(type=v4l2.CAPTURE)
    try:
        while len(formats) < _MOST_FORMATS:
            described.index = len(formats)
            kernel.ioctl(fd, v4l2.ENUM_FMT, described)
            formats.append(v4l2.fourcc(described.pixelformat))
    except OSError as error:
        if error.errno != errno.EINVAL:  # EINVAL is how the kernel says "no more"
            raise
    return tuple(formats)


def _number(node: Path) -> int | None:
    found = re.fullmatch(r"video(\d+)", node.name)
    return int(found[1]) if found else None


def _number_of(node: Path) -> int:
    return _number(node) or 0


def _described(node: Path, root: Path, kernel: Kernel) -> CameraDevice:
    path = f"/dev/{node.name}"
    asked = _asked(node, kernel)
    return CameraDevice(
        path=path,
        name=asked.get("name") or _name_in_sys(root, node.name),
        driver=asked.get("driver"),
        is_capture=asked.get("is_capture"),
        formats=asked.get("formats", ()),
        held_by=holders(path, root),
        readable=os.access(node, os.R_OK | os.W_OK),
    )


def _asked(node: Path, kernel: Kernel) -> dict[str, Any]:
    try:
        fd = kernel.open(node)
    except OSError as error:
        _log.debug("cannot ask %s: %s", node, error)
        return {}
    try:
        return _answers(fd, kernel)
    except OSError as error:
        _log.debug("%s does not speak V4L2: %s", node, error)
        return {}
    finally:
        kernel.close(fd)


def _answers(fd: int, kernel: Kernel) -> dict[str, Any]:
    capability = v4l2.Capability()
    kernel.ioctl(fd, v4l2.QUERYCAP, capability)
    driver = capability.driver.decode("utf-8", "replace")
    formats = offered_formats(fd, kernel) if _captures(capability) else ()
    usable = not driver.startswith(_NOT_CAMERAS) and any(known in formats for known in FORMATS)
    return {
        "name": capability.card.decode("utf-8", "replace"),
        "driver": driver,
        "is_capture": usable,
        "formats": formats,
    }


def _captures(capability: v4l2.Capability) -> bool:
    whole = capability.capabilities
    caps = capability.device_caps if whole & v4l2.CAP_DEVICE_CAPS else whole
    wanted = v4l2.CAP_VIDEO_CAPTURE | v4l2.CAP_STREAMING
    return caps & wanted == wanted and not caps & v4l2.CAP_VIDEO_M2M


def _name_in_sys(root: Path, node: str) -> str:
    name = root / "sys/class/video4linux" / node / "name"
    return name.read_text().strip() if name.exists() else node


def _processes(root: Path) -> Iterator[int]:
    proc = root / "proc"
    if proc.is_dir():
        yield from (int(entry.name) for entry in proc.iterdir() if entry.name.isdecimal())


def _has_open(process: Path, path: str) -> bool:
    try:
        return any(str(link.readlink()) == path for link in (process / "fd").iterdir())
    except OSError:  # another user's process, or one that has just ended: not ours to see
        return False


def _process_name(root: Path, pid: int) -> str:
    try:
        return (root / "proc" / str(pid) / "comm").read_text().strip()
    except OSError:  # it ended between two looks
        return "a process"
