"""The ``[[camera]]`` tables of a file: what they say, where each stands, what is wrong in them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from edge_runtime.config.config import CAMERA, MOST_CAMERAS, CameraTable
from edge_runtime.config.places import Places
from edge_runtime.config.problem import Problem, nearest, shown

_KEYS: Final = tuple(CameraTable.model_fields)
_SLUG: Final = "a name of at most 24 lower-case letters, digits and dashes, such as front-door"


@dataclass(frozen=True, slots=True)
class Cameras:
    """What was found in a file."""

    cameras: tuple[CameraTable, ...]
    """The right ones."""
    origins: Mapping[str, str]
    """``camera`` and ``camera.0.name`` to the file and line."""
    problems: tuple[Problem, ...]


def cameras_in(listed: object, path: Path, text: str, *, source: str | None) -> Cameras:
    """Check what a file says of ``camera``; ``source`` is where it says ``source.uri``, if it does.

    With problems the cameras are not to be used.
    """
    places = Places(CAMERA, path, text)
    if not isinstance(listed, list) or not all(isinstance(table, dict) for table in listed):
        what = f"camera = {shown(listed)}: expected tables, each written [[camera]]"
        return Cameras((), {}, (Problem(places.first, what),))
    problems: list[Problem] = []
    right: dict[int, CameraTable] = {}
    for number, table in enumerate(listed):
        try:
            right[number] = CameraTable.model_validate(table)
        except ValidationError as error:
            problems += _problems(error, number, table, places)
    problems += _together(right, len(listed), places, source)
    origins = {CAMERA: places.first} | {
        f"{CAMERA}.{number}.{key}": places.of(number, key) for number in right for key in _KEYS
    }
    return Cameras(tuple(right.values())[:MOST_CAMERAS], origins, tuple(problems))


def _problems(
    error: ValidationError, number: int, table: Mapping[str, object], places: Places
) -> Iterator[Problem]:
    for detail in error.errors(include_url=False, include_context=False):
        key = str(detail["loc"][0])
        yield Problem(places.of(number, key), _sentence(detail, key, number, table))


def _sentence(detail: ErrorDetails, key: str, number: int, table: Mapping[str, object]) -> str:
    if detail["type"] == "missing":
        return f"camera {number + 1} has no {key}: every [[camera]] needs {' and '.join(_KEYS)}"
    said = f"camera.{key} = {shown(table[key])}"
    if detail["type"] == "extra_forbidden":
        return f"unknown key {said}{nearest(key, _KEYS)}"
    if key == "name" and isinstance(table[key], str):
        return f"{said}: expected {_SLUG}"
    return f"{said}: expected {re.sub(r'^.* should (be|have) ', '', detail['msg'])}"


def _together(
    right: Mapping[int, CameraTable], count: int, places: Places, source: str | None
) -> Iterator[Problem]:
    """What is wrong with cameras that are right one by one."""
    if source is not None:
        what = "source.uri and [[camera]] are both given: keep one of them"
        yield Problem(source, what)
    if count > MOST_CAMERAS:
        yield Problem(places.of(MOST_CAMERAS, ""), f"{count} cameras: at most {MOST_CAMERAS} run")
    names: dict[str, int] = {}
    for number, camera in right.items():
        if camera.name in names:
            what = f"camera.name = {camera.name!r}: camera {names[camera.name] + 1} has that name"
            yield Problem(places.of(number, "name"), what)
        names.setdefault(camera.name, number)
