"""Strict reading of TOML tables into frozen dataclasses: what is not understood is refused.

The sentence names the file, the place, the key, the value, what was expected and the nearest
valid key.
"""

from __future__ import annotations

import dataclasses
import difflib
import types
import typing
from collections.abc import Iterable, Mapping
from typing import Any, NoReturn, TypeVar, get_args, get_origin

from edge_runtime.errors import ConfigError

T = TypeVar("T")

_WORDS = {int: "a whole number", float: "a number", bool: "true or false", str: "a text"}


def ranged(least: float, most: float, default: Any = dataclasses.MISSING) -> Any:
    """A dataclass field that takes numbers from ``least`` to ``most``."""
    return dataclasses.field(default=default, metadata={"least": least, "most": most})


def read_table(kind: type[T], table: Mapping[str, Any], where: str) -> T:
    """One table as a dataclass. Raises ConfigError beginning with ``where``."""
    hints = typing.get_type_hints(kind)
    fields = {each.name: each for each in dataclasses.fields(kind)}  # type: ignore[arg-type]
    for key in table:
        if key not in fields:
            _refuse(where, f"{key!r} is no key here{nearest(key, fields)}")
    values = {
        key: _value(table[key], hints[key], fields[key].metadata, f"{where}, {key}")
        for key in table
    }
    missing = [name for name, each in fields.items() if _needed(each) and name not in table]
    if missing:
        _refuse(where, f"{missing[0]!r} is missing")
    return kind(**values)


def nearest(word: str, known: Iterable[str]) -> str:
    """``; did you mean …?``, or all that would have been right."""
    names = list(known)
    close = difflib.get_close_matches(word, names, 1)
    return f"; did you mean {close[0]!r}?" if close else f"; expected {', '.join(names)}"


def _needed(field: Any) -> bool:
    nothing = dataclasses.MISSING
    return field.default is nothing and field.default_factory is nothing


def _value(value: Any, hint: Any, limits: Mapping[str, float], where: str) -> Any:
    if get_origin(hint) is types.UnionType:
        hint = next(each for each in get_args(hint) if each is not types.NoneType)
    if get_origin(hint) is typing.Literal:
        return _choice(value, get_args(hint), where)
    if get_origin(hint) is tuple:
        return _items(value, get_args(hint)[0], where)
    if get_origin(hint) in (dict, Mapping):
        return _pairs(value, get_args(hint)[1], where)
    return _in_range(_plain(value, hint, where), limits, where)


def _choice(value: Any, choices: tuple[Any, ...], where: str) -> Any:
    if value not in choices:
        _refuse(where, f"{value!r} is none of {', '.join(map(str, choices))}")
    return value


def _items(value: Any, kind: Any, where: str) -> tuple[Any, ...]:
    if not isinstance(value, list) or not value:
        _refuse(where, f"{value!r} is no list of at least one item")
    return tuple(_plain(each, kind, where) for each in value)


def _pairs(value: Any, kind: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        _refuse(where, f"{value!r} is no table")
    return {key: _plain(each, kind, f"{where}.{key}") for key, each in value.items()}


def _plain(value: Any, kind: Any, where: str) -> Any:
    if kind is Any:
        return value
    if kind is float and type(value) is int:
        return float(value)
    if type(value) is not kind:
        _refuse(where, f"{value!r} is not {_WORDS[kind]}")
    return value


def _in_range(value: Any, limits: Mapping[str, float], where: str) -> Any:
    if limits and not limits["least"] <= value <= limits["most"]:
        _refuse(where, f"{value} is outside {limits['least']:g} to {limits['most']:g}")
    return value


def _refuse(where: str, problem: str) -> NoReturn:
    raise ConfigError(f"{where}: {problem}")
