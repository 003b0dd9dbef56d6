"""The ``[[rule]]`` tables of a file: what they say, where each stands, what is wrong in them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from edge_runtime.config.config import RULE
from edge_runtime.config.places import Places, whole_folder
from edge_runtime.config.problem import Problem, nearest, shown
from edge_runtime.config.rule import ACTIONS, MOST_RULES, RuleTable
from edge_runtime.event import KINDS

_KEYS: Final = tuple(RuleTable.model_fields)
_FILES: Final = ("headers_file", "ca_file")
_SLUG: Final = "a name of at most 24 lower-case letters, digits and dashes, such as open-gate"


@dataclass(frozen=True, slots=True)
class Rules:
    """What was found in a file."""

    rules: tuple[RuleTable, ...]
    """The right ones."""
    origins: Mapping[str, str]
    """``rule`` and ``rule.0.name`` to the file and line."""
    problems: tuple[Problem, ...]


def rules_in(
    listed: object, path: Path, text: str, *, home: Path | None, cameras: Sequence[str]
) -> Rules:
    """Check what a file says of ``rule``; ``cameras`` are the names it gives to its cameras.

    With problems the rules are not to be used.
    """
    places = Places(RULE, path, text)
    if not isinstance(listed, list) or not all(isinstance(table, dict) for table in listed):
        what = f"rule = {shown(listed)}: expected tables, each written [[rule]]"
        return Rules((), {}, (Problem(places.first, what),))
    problems: list[Problem] = []
    right: dict[int, RuleTable] = {}
    for number, table in enumerate(listed):
        try:
            right[number] = RuleTable.model_validate(_placed(table, path.parent, home))
        except ValidationError as error:
            problems += _problems(error, number, table, places)
    problems += _together(right, len(listed), places, cameras)
    origins = {RULE: places.first} | {
        f"{RULE}.{number}.{key}": places.of(number, key) for number in right for key in _KEYS
    }
    return Rules(tuple(right.values())[:MOST_RULES], origins, tuple(problems))


def _placed(table: dict[str, object], folder: Path, home: Path | None) -> dict[str, object]:
    """Relative files count from the file's own folder."""
    then = table.get("then")
    if not isinstance(then, dict):
        return table
    files = {key: whole_folder(then[key], folder, home) for key in _FILES if key in then}
    return table | {"then": then | files}


def _problems(
    error: ValidationError, number: int, table: Mapping[str, object], places: Places
) -> Iterator[Problem]:
    for detail in error.errors(include_url=False, include_context=False):
        key = str(detail["loc"][0]) if detail["loc"] else "when"
        yield Problem(places.of(number, key), _sentence(detail, number, table))


def _sentence(detail: ErrorDetails, number: int, table: Mapping[str, object]) -> str:
    loc, kind = [str(part) for part in detail["loc"]], detail["type"]
    expected = re.sub(r"^(Value error, |.* should (be|have) )", "", detail["msg"])
    if not loc:
        return f"rule {number + 1}, {shown(table.get('name'))}: {expected}"
    if loc[0] == "then" and len(loc) > 1:
        return _of_action(loc[1], loc[2], kind, expected, table["then"])
    key = loc[0]
    if kind == "missing":
        return f"rule {number + 1} has no {key}: every [[rule]] needs name, when and then"
    if kind == "extra_forbidden":
        return f"unknown key rule.{key} = {shown(table[key])}{nearest(key, _KEYS)}"
    said = f"rule.{key} = {_shown(table[key])}"
    if key == "when":
        return f"{said}: expected events{_nearest_kind(table[key])}"
    if key == "name" and isinstance(table[key], str):
        return f"{said}: expected {_SLUG}"
    return f"{said}: expected {expected}"


def _of_action(action: str, key: str, kind: str, expected: str, then: object) -> str:
    value = then.get(key) if isinstance(then, dict) else None
    if kind == "extra_forbidden":
        known = tuple(ACTIONS[action].model_fields)
        return f"unknown key {key} = {shown(value)} in rule.then{nearest(key, known)}"
    # The address of a webhook is a secret, also where it is written wrong.
    said = "" if key == "webhook" else f" = {shown(value)}"
    return f"rule.then.{key}{said}: expected {expected}"


def _shown(value: object) -> str:
    if isinstance(value, dict):
        value = {key: "***" if key == "webhook" else item for key, item in value.items()}
    return shown(value)


def _nearest_kind(value: object) -> str:
    kinds = value if isinstance(value, list) else [value]
    wrong = [kind for kind in kinds if isinstance(kind, str) and kind not in KINDS]
    return nearest(wrong[0], KINDS) if wrong else "; known: " + ", ".join(KINDS)


def _together(
    right: Mapping[int, RuleTable], count: int, places: Places, cameras: Sequence[str]
) -> Iterator[Problem]:
    """What is wrong with rules that are right one by one."""
    if count > MOST_RULES:
        yield Problem(places.of(MOST_RULES, ""), f"{count} rules: at most {MOST_RULES} are kept")
    names: dict[str, int] = {}
    for number, rule in right.items():
        if rule.name in names:
            what = f"rule.name = {rule.name!r}: rule {names[rule.name] + 1} has that name"
            yield Problem(places.of(number, "name"), what)
        names.setdefault(rule.name, number)
        if rule.camera is not None and rule.camera not in cameras:
            what = f"rule.camera = {rule.camera!r}: there is no such camera"
            yield Problem(places.of(number, "camera"), what + nearest(rule.camera, cameras))
