"""The ``[[camera]]`` tables of a file: what they say, where each stands, what is wrong in them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from pydantic_core import ErrorDetails

from edge_runtime.config.config import CAMERA, MOST_CAMERAS, CameraTable
from edge_runtime.config.listed import Listed, tables_in
from edge_runtime.config.places import Places
from edge_runtime.config.problem import Problem, nearest, shown

_KEYS: Final = tuple(CameraTable.model_fields)
_SLUG: Final = "a name of at most 24 lower-case letters, digits and dashes, such as front-door"


def cameras_in(
    written: object, path: Path, text: str, *, source: str | None
) -> Listed[CameraTable]:
    """What a file says of ``camera``; ``source`` is where it says ``source.uri``, if it does."""
    found = tables_in(
        written,
        CameraTable,
        Places(CAMERA, path, text),
        most=MOST_CAMERAS,
        too_many=f"at most {MOST_CAMERAS} run",
        sentence=_sentence,
    )
    if source is None:
        return found
    both = Problem(source, "source.uri and [[camera]] are both given: keep one of them")
    return replace(found, problems=(*found.problems, both))


def _sentence(detail: ErrorDetails, number: int, table: Mapping[str, object]) -> str:
    key = str(detail["loc"][0])
    if detail["type"] == "missing":
        return f"camera {number + 1} has no {key}: every [[camera]] needs {' and '.join(_KEYS)}"
    said = f"camera.{key} = {shown(table[key])}"
    if detail["type"] == "extra_forbidden":
        return f"unknown key {said}{nearest(key, _KEYS)}"
    if key == "name" and isinstance(table[key], str):
        return f"{said}: expected {_SLUG}"
    return f"{said}: expected {re.sub(r'^.* should (be|have) ', '', detail['msg'])}"
