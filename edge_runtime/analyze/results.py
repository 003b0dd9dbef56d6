"""Where an analysis goes: ``results.jsonl`` and annotated pictures in one folder."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from edge_runtime import drawing, jpeg
from edge_runtime.closeable import Closeable
from edge_runtime.errors import OutputUnwritable
from edge_runtime.types import Face, Frame, JsonObject, Snapshot


class Results(Closeable):
    """One line for each frame, written as it comes: what was done survives an interruption."""

    def __init__(self, folder: Path, *, pictures: bool) -> None:
        self._folder = folder
        self._pictures = pictures
        self._named: set[str] = set()
        try:
            (folder / "pictures" if pictures else folder).mkdir(parents=True, exist_ok=True)
            self._lines = (folder / "results.jsonl").open("w", encoding="utf-8")
        except OSError as error:
            raise self._unwritable(error) from error

    def add(self, file: Path, snapshot: Snapshot, *, still: bool) -> None:
        """A line for a frame of ``file``. A still has no tracks: nothing came before it."""
        line = {
            "file": str(file),
            "frame": snapshot.frame,
            "width": snapshot.width,
            "height": snapshot.height,
            "faces": [face_line(face, still=still) for face in snapshot.faces],
        }
        try:
            self._lines.write(json.dumps(line) + "\n")
        except OSError as error:
            raise self._unwritable(error) from error

    def draw(self, file: Path, frame: Frame, faces: Sequence[Face], *, still: bool) -> None:
        """The frame with its faces marked, as ``pictures/NAME.jpg`` or ``NAME-FRAME.jpg``."""
        if not self._pictures:
            return
        picture = frame.picture.bgr().copy()
        drawing.draw_faces(picture, faces)
        name = self._free_name(file.stem if still else f"{file.stem}-{frame.index:06d}")
        try:
            (self._folder / "pictures" / name).write_bytes(jpeg.encode(picture, 88))
        except OSError as error:
            raise self._unwritable(error) from error

    def close(self) -> None:
        try:
            self._lines.close()
        except OSError as error:
            raise self._unwritable(error) from error

    def _free_name(self, stem: str) -> str:
        """Pictures of several folders may share a name; none overwrites another of this run."""
        name, count = f"{stem}.jpg", 1
        while name in self._named:
            count += 1
            name = f"{stem}-{count}.jpg"
        self._named.add(name)
        return name

    def _unwritable(self, error: OSError) -> OutputUnwritable:
        return OutputUnwritable(
            f"cannot write to {self._folder}: {error.strerror or error}; "
            "free space or name another folder with --out"
        )


def face_line(face: Face, *, still: bool) -> JsonObject:
    """A face as ``results.jsonl`` holds it: box [x, y, w, h] in pixels of the picture."""
    return {
        "box": [round(float(side), 2) for side in face.box],
        "score": round(float(face.score), 4),
        "track": None if still else face.track,
        "labels": {
            model: {label: round(float(score), 4) for label, score in scores.items()}
            for model, scores in face.labels.items()
        },
    }
