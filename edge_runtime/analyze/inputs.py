"""Paths on the command line to files: folders are walked for pictures and videos."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from edge_runtime.capture.uri import PICTURE_SUFFIXES
from edge_runtime.errors import SourceUnavailable

VIDEO_SUFFIXES: Final = frozenset(
    {".mp4", ".mkv", ".avi", ".mov", ".m4v", ".webm", ".mpg", ".mpeg", ".mjpg", ".ts", ".h264"}
)


def is_picture(file: Path) -> bool:
    """By its name; everything else is taken for a video."""
    return file.suffix.lower() in PICTURE_SUFFIXES


def files_of(paths: Iterable[Path]) -> tuple[Path, ...]:
    """Every picture and video under ``paths``, in order; a file that is named is always taken.

    Raises SourceUnavailable for a path that does not exist and a folder that holds nothing.
    """
    return tuple(file for path in paths for file in _files_under(path))


def _files_under(path: Path) -> list[Path]:
    if not path.exists():
        raise SourceUnavailable(f"{path} does not exist; expected a picture, a video or a folder")
    if not path.is_dir():
        return [path]
    known = PICTURE_SUFFIXES | VIDEO_SUFFIXES
    files = sorted(file for file in path.rglob("*") if file.suffix.lower() in known)
    if not files:
        raise SourceUnavailable(
            f"the folder {path} holds no picture and no video "
            f"(looked for {', '.join(sorted(known))})"
        )
    return files
