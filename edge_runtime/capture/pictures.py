"""A folder of photographs, or one: every picture is a frame, in the order of their names."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from edge_runtime import jpeg
from edge_runtime.capture.exif import orientation, upright
from edge_runtime.capture.glance import glance_of_bgr, glance_of_jpeg
from edge_runtime.capture.picture import BgrPicture, JpegPicture
from edge_runtime.capture.source import Source
from edge_runtime.capture.uri import PICTURE_SUFFIXES, SourceUri
from edge_runtime.errors import PictureDamaged, SourceDamaged, SourceUnavailable
from edge_runtime.types import Clock, Frame, Luma, Picture

_log = logging.getLogger(__name__)

_JPEG_START = b"\xff\xd8"


class PicturesSource(Source):
    """The pictures of a folder. ``skipped`` names those that could not be read."""

    def __init__(self, *, uri: str, files: tuple[Path, ...], clock: Clock) -> None:
        super().__init__()
        self.uri = uri
        self.description = _described(files)
        self.live = False
        self.width = self.height = None
        self.fps = None
        self.skipped: list[Path] = []
        self._files: Iterator[Path] = iter(files)
        self._clock = clock

    def _next_frame(self, index: int) -> Frame:
        for file in self._files:
            try:
                luma, picture = _read(file)
            except (OSError, PictureDamaged) as error:
                self._skip(file, error)
            else:
                return Frame(index, self._clock(), luma, picture, name=str(file))
        if not self._delivered and self.skipped:
            raise SourceDamaged(
                f"{self.description}: not one can be read; the first is {self.skipped[0]}"
            )
        raise StopIteration

    def _skip(self, file: Path, error: Exception) -> None:
        self.skipped.append(file)
        _log.warning("skipped %s: %s", file, error)

    def _close(self) -> None:
        self._files = iter(())


def open_pictures(uri: SourceUri, *, clock: Clock) -> PicturesSource:
    """A folder's pictures, or a single one. Raises SourceUnavailable."""
    return PicturesSource(uri=uri.shown, files=_found(Path(uri.target)), clock=clock)


def _found(path: Path) -> tuple[Path, ...]:
    if not path.exists():
        raise SourceUnavailable(f"{path} does not exist; expected a folder of pictures, or one")
    if not path.is_dir():
        return (path,)
    try:
        files = sorted(file for file in path.iterdir() if file.suffix.lower() in PICTURE_SUFFIXES)
    except PermissionError as error:
        raise SourceUnavailable(f"the folder {path} may not be read by this user") from error
    if not files:
        known = ", ".join(sorted(PICTURE_SUFFIXES))
        raise SourceUnavailable(f"the folder {path} holds no picture (looked for {known})")
    return tuple(files)


def _described(files: tuple[Path, ...]) -> str:
    if len(files) == 1:
        return f"picture {files[0].name}"
    return f"{len(files)} pictures in {files[0].parent}"


def _read(file: Path) -> tuple[Luma, Picture]:
    data = file.read_bytes()
    turn = orientation(data) if data.startswith(_JPEG_START) else None
    if turn == 1:
        # Upright JPEG: colour is decoded only where somebody asks for it.
        picture = JpegPicture(data)
        return glance_of_jpeg(data, picture.width, picture.height), picture
    bgr = _decoded(data) if turn is None else upright(jpeg.decode_bgr(data), turn)
    return glance_of_bgr(bgr), BgrPicture(bgr)


def _decoded(data: bytes) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) if data else None
    if pixels is None:
        raise PictureDamaged("its data is no picture that can be decoded")
    return np.asarray(pixels, np.uint8)
