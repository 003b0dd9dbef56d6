"""Pictures whose faces are known, from JSON lines: an object a line, paths beside the file.

    {"file": "images/a.jpg", "width": 320, "height": 213, "faces": [[173.1, 30.8, 19.6, 25.0]],
     "ignore": []}

Boxes are left, top, width, height in pixels. On boxes to ignore a detection counts neither way;
``ignore``, and ``width`` with ``height``, may be left out.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge_runtime.errors import SourceDamaged, SourceUnavailable
from edge_runtime.types import Box, JsonObject


@dataclass(frozen=True, slots=True)
class LabelledPicture:
    """A picture file and where its faces are."""

    file: Path
    faces: tuple[Box, ...]
    ignore: tuple[Box, ...]
    """Perhaps faces."""
    size: tuple[int, int] | None
    """Width and height as the boxes mean them; None when the label does not say."""


def read_labels(file: Path) -> tuple[LabelledPicture, ...]:
    """Every line of a label file, checked, pictures looked for.

    Raises SourceUnavailable for a file or picture that is missing, SourceDamaged for a line that is
    not as described and for labels without any face.
    """
    pictures = tuple(_labelled(line, file, number) for number, line in _lines(file))
    if not any(picture.faces for picture in pictures):
        raise SourceDamaged(
            f"{file} marks no face in {len(pictures)} picture(s): precision and recall need some"
        )
    return pictures


def _lines(file: Path) -> Iterator[tuple[int, str]]:
    """Lines that are not blank, counted from 1."""
    try:
        text = file.read_text("utf-8")
    except FileNotFoundError:
        raise SourceUnavailable(
            f"there is no file {file}: expected a line of JSON for each picture with its faces"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise SourceUnavailable(f"{file} cannot be read as text: {error}") from None
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip():
            yield number, line


def _labelled(line: str, file: Path, number: int) -> LabelledPicture:
    where = f"{file}, line {number}"
    try:
        label = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise SourceDamaged(f"{where} is no JSON: {error}") from None
    if not isinstance(label, dict) or not isinstance(label.get("file"), str):
        raise SourceDamaged(f'{where} names no picture: expected {{"file": "a.jpg", "faces": []}}')
    picture = file.parent / label["file"]
    if not picture.is_file():
        raise SourceUnavailable(f"{where}: there is no picture {picture}")
    faces, ignore = (_boxes(label, key, where) for key in ("faces", "ignore"))
    return LabelledPicture(picture, faces, ignore, _size(label, where))


def _boxes(label: JsonObject, key: str, where: str) -> tuple[Box, ...]:
    rows = label.get(key, [] if key == "ignore" else None)
    if not isinstance(rows, list) or not all(map(_is_box, rows)):
        raise SourceDamaged(
            f"{where}: {key} is {json.dumps(rows)}, expected a list of "
            "[left, top, width, height] in pixels"
        )
    return tuple(Box(*map(float, row)) for row in rows)


def _is_box(row: Any) -> bool:
    return (
        isinstance(row, list) and len(row) == 4 and all(map(_is_number, row)) and min(row[2:]) > 0
    )


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and math.isfinite(value)


def _size(label: JsonObject, where: str) -> tuple[int, int] | None:
    size = label.get("width"), label.get("height")
    if size == (None, None):
        return None
    width, height = size
    if type(width) is not int or type(height) is not int or min(width, height) < 1:
        raise SourceDamaged(
            f"{where}: width and height are {width!r} and {height!r}, expected pixels"
        )
    return width, height
