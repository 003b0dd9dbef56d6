"""The system's camera libraries: found or not, and the sentence that says what to do about it."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge_runtime.capture.devices import holders
from edge_runtime.errors import SourceUnavailable

# Where apt puts it, on every release of Raspberry Pi OS since Bullseye.
_SYSTEM_COPY = Path("usr/lib/python3/dist-packages/picamera2")


@dataclass(frozen=True, slots=True)
class Library:
    """What we use of picamera2 and libcamera."""

    picamera2: Any
    """The class Picamera2."""
    mapped_array: Any
    transform: Any
    colour_space: Any

    def cameras(self) -> list[dict[str, Any]]:
        """One dictionary for each connected camera, in the order of their numbers."""
        return list(self.picamera2.global_camera_info())


def load(root: Path = Path("/")) -> Library:
    """Import picamera2. Raises SourceUnavailable with the remedy."""
    # libcamera tells its life on stderr unless asked not to; a user's own setting wins.
    os.environ.setdefault("LIBCAMERA_LOG_LEVELS", "*:WARN")
    try:
        from libcamera import ColorSpace, Transform
        from picamera2 import MappedArray, Picamera2
    except (ImportError, ValueError, AttributeError, RuntimeError) as error:
        # ValueError and AttributeError: a library built for another NumPy (picamera2 #1266).
        raise SourceUnavailable(_remedy(error, root)) from error
    if not hasattr(Picamera2, "cancel_all_and_flush"):
        raise SourceUnavailable(
            "picamera2 is older than July 2024 and cannot wait with a timeout: "
            "sudo apt update && sudo apt full-upgrade"
        )
    return Library(Picamera2, MappedArray, Transform, ColorSpace)


def _remedy(error: Exception, root: Path) -> str:
    if not (root / _SYSTEM_COPY).exists():
        return "picamera2 is not installed (on Raspberry Pi OS: sudo apt install python3-picamera2)"
    if isinstance(error, ModuleNotFoundError) and sys.prefix != sys.base_prefix:
        return (
            f"picamera2 is installed but the environment {sys.prefix} cannot see it: make it again "
            "with python3 -m venv --system-site-packages"
        )
    return (
        f"picamera2 is installed but cannot be loaded ({error}); a copy from pip may hide the "
        "system's: pip uninstall picamera2 simplejpeg numpy"
    )


def why_not_opened(uri: str, name: str, error: Exception, root: Path) -> str:
    """Who has the camera, as far as /proc tells: libcamera holds the media device it drives."""
    nodes = sorted((root / "dev").glob("media*"))
    held = {holder for node in nodes for holder in holders(f"/dev/{node.name}", root)}
    others = sorted(str(holder) for holder in held if holder.pid != os.getpid())
    if others:
        return f"{uri} ({name}) is busy: {', '.join(others)} has it; stop that first"
    return f"{uri} ({name}) cannot be opened ({error}); another process may have it"
