"""One place that settings come from: a file, the environment or flags; and what is wrong in it."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import NoneType
from typing import Any, get_args, get_origin

from pydantic import TypeAdapter, ValidationError

from edge_runtime.config.cameras import cameras_in
from edge_runtime.config.config import CAMERA, KEYS, ONLY_CAMERA, RULE, TABLES, Config
from edge_runtime.config.places import whole_folder
from edge_runtime.config.problem import Problem, nearest, shown
from edge_runtime.config.rules import rules_in

PREFIX = "EDGE_RUNTIME_"
# Ours, but no settings: the config file's own place, whom `top` asks, what the test suite is told.
RESERVED = re.compile(rf"{PREFIX}(CONFIG|URL|TOKEN|TEST_\w+)")

_Values = dict[str, object]


@dataclass(frozen=True, slots=True)
class Layer:
    """Settings of one origin: dotted key to value, and to where exactly it was said."""

    values: Mapping[str, object] = field(default_factory=dict)
    origins: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()


def file_layer(path: Path, home: Path | None) -> Layer:
    """The settings of a TOML file; relative folders in it count from the file's own folder."""
    try:
        text = path.read_bytes().decode()
    except OSError as error:
        reason = error.strerror or str(error)
        return Layer(problems=(Problem(str(path), f"cannot be read: {reason}"),))
    except UnicodeDecodeError as error:
        what = f"expected UTF-8 text, got the byte {error.object[error.start]:#04x}"
        return Layer(problems=(Problem(str(path), what),))
    try:
        document = tomllib.loads(text)
    # ValueError: also a number with too many digits; RecursionError: lists nested hundreds deep.
    except (ValueError, RecursionError) as error:
        return Layer(problems=(Problem(str(path), f"expected TOML: {error}"),))
    listed, ruled = document.pop(CAMERA, None), document.pop(RULE, None)
    values, problems = _flattened(document, path, text)
    values = {key: _placed(key, value, path.parent, home) for key, value in values.items()}
    origins = {key: _place(path, text, key) for key in values}
    if listed is not None:
        found = cameras_in(listed, path, text, source=origins.get("source.uri"))
        values[CAMERA] = found.tables
        problems += found.problems
        origins |= found.origins
    if ruled is not None:
        rules = rules_in(ruled, path, text, home=home, cameras=_camera_names(listed))
        values[RULE] = rules.tables
        problems += rules.problems
        origins |= rules.origins
    return _checked(values, origins, problems)


def _camera_names(listed: object) -> list[str]:
    """As the file names its cameras, right or wrong."""
    tables = listed if isinstance(listed, list) else []
    names = [table.get("name") for table in tables if isinstance(table, dict)]
    return [name for name in names if isinstance(name, str)] or [ONLY_CAMERA]


def environment_layer(environ: Mapping[str, str], home: Path | None) -> Layer:
    """The settings of ``EDGE_RUNTIME_TABLE__KEY`` variables; an empty one counts as not set."""
    known = {PREFIX + key.replace(".", "__").upper(): key for key in KEYS}
    values: _Values = {}
    origins: dict[str, str] = {}
    problems: list[Problem] = []
    for name, text in sorted(environ.items()):
        if not name.startswith(PREFIX) or not text or RESERVED.fullmatch(name):
            continue
        where = f"environment {name}"
        if name in known:
            values[known[name]] = _placed(known[name], _parsed(known[name], text), Path(), home)
            origins[known[name]] = where
        else:
            problems.append(Problem(where, f"unknown variable{nearest(name, known)}"))
    return _checked(values, origins, problems)


def flag_layer(overrides: Mapping[str, object], home: Path | None) -> Layer:
    """The settings of flags: dotted keys; None means the flag was not given, text is parsed."""
    given = {key: value for key, value in overrides.items() if value is not None}
    problems = [
        Problem("command line", f"unknown key {key}{nearest(key, KEYS)}")
        for key in given
        if key not in KEYS
    ]
    values: _Values = {
        key: _placed(key, _parsed(key, value) if isinstance(value, str) else value, Path(), home)
        for key, value in given.items()
        if key in KEYS
    }
    return _checked(values, dict.fromkeys(values, "command line"), problems)


def nested(values: Mapping[str, object]) -> _Values:
    """Dotted keys as the tables that ``Config`` is made from."""
    tables: dict[str, _Values] = {}
    top: _Values = {}
    for key, value in values.items():
        table, dot, name = key.partition(".")
        if dot:
            tables.setdefault(table, {})[name] = value
        else:
            top[key] = value
    return {**top, **tables}


def _checked(values: _Values, origins: dict[str, str], problems: Iterable[Problem]) -> Layer:
    found = [*problems, *misfits(values, origins)]
    return Layer(values, origins, tuple(found))


def misfits(values: Mapping[str, object], origins: Mapping[str, str]) -> list[Problem]:
    """Wrong types and ranges: every one of them, not only the first."""
    try:
        Config.model_validate(nested(values))
    except ValidationError as error:
        return [
            _misfit([str(part) for part in detail["loc"]], detail["msg"], values, origins)
            for detail in error.errors(include_url=False, include_context=False)
        ]
    return []


def _misfit(
    place: list[str], message: str, values: Mapping[str, object], origins: Mapping[str, str]
) -> Problem:
    expected = re.sub(r"^(\w+ should (be|have)|Value error,) ", "", message)
    key = ".".join(place[:2]) if ".".join(place[:2]) in KEYS else place[0]
    if key in values:
        return Problem(origins[key], f"{key} = {shown(values[key])}: expected {expected}")
    # A table's keys are right one by one but not together: any of its keys leads there.
    where = next((origins[name] for name in values if name.startswith(f"{key}.")), key)
    return Problem(where, f"{key}: expected {expected}")


def _flattened(document: _Values, path: Path, text: str) -> tuple[_Values, list[Problem]]:
    values: _Values = {}
    problems: list[Problem] = []
    for name, value in document.items():
        if name in TABLES and isinstance(value, dict):
            values |= {f"{name}.{key}": item for key, item in value.items()}
        elif name in TABLES:
            what = f"{name} = {shown(value)}: expected a table, written [{name}]"
            problems.append(Problem(_place(path, text, name), what))
        elif isinstance(value, dict):
            what = f"unknown table [{name}]{nearest(name, TABLES)}"
            problems.append(Problem(_place(path, text, name), what))
        else:
            values[name] = value
    for key in [key for key in values if key not in KEYS]:
        what = f"unknown key {key} = {shown(values.pop(key))}{nearest(key, KEYS)}"
        problems.append(Problem(_place(path, text, key), what))
    return values, problems


def _place(path: Path, text: str, key: str) -> str:
    """The file with the line of ``key``, where a plain search finds it."""
    table, name = "", re.escape(key.rpartition(".")[2])
    wanted = key.rpartition(".")[0]
    for number, line in enumerate(text.splitlines(), 1):
        if header := re.match(r"\s*\[+\s*([^\]]+?)\s*\]", line):
            table = header[1]
            found = table == key
        else:
            here = table == wanted and re.match(rf"\s*['\"]?{name}['\"]?\s*=", line)
            found = bool(here) or (
                not table and re.match(rf"\s*{re.escape(key)}\s*=", line) is not None
            )
        if found:
            return f"{path} line {number}"
    return str(path)


def _parsed(key: str, text: str) -> object:
    """Text as the key's type wants it; text that does not fit stays, to be refused by name."""
    kind: Any = KEYS[key].annotation
    if get_origin(kind) is tuple:
        parts = [part.strip() for part in text.split(",")]
        return () if parts == ["none"] else tuple(part for part in parts if part)
    if NoneType in get_args(kind) and text == "none":
        return None
    try:
        parsed: object = TypeAdapter(kind).validate_python(text)
    except ValidationError:
        return text
    return parsed


def _placed(key: str, value: object, folder: Path, home: Path | None) -> object:
    """Paths made whole: ``~`` is the home folder, relative ones count from ``folder``."""
    kind = KEYS[key].annotation
    if kind is not Path and Path not in _parts(kind):
        return value
    if isinstance(value, list | tuple):
        return tuple(whole_folder(item, folder, home) for item in value)
    return whole_folder(value, folder, home)


def _parts(kind: object) -> list[object]:
    return [part for item in get_args(kind) for part in (item, *get_args(item))]
