"""The ``[[rule]]`` tables of a file: what they say, where each stands, what is wrong in them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from pydantic_core import ErrorDetails

from edge_runtime.config.config import RULE
from edge_runtime.config.listed import Listed, tables_in
from edge_runtime.config.places import Places, whole_folder
from edge_runtime.config.problem import Problem, nearest, shown
from edge_runtime.config.rule import ACTIONS, MOST_RULES, RuleTable
from edge_runtime.event import KINDS

_KEYS: Final = tuple(RuleTable.model_fields)
_FILES: Final = ("headers_file", "ca_file")
_SLUG: Final = "a name of at most 24 lower-case letters, digits and dashes, such as open-gate"


def rules_in(
    written: object, path: Path, text: str, *, home: Path | None, cameras: Sequence[str]
) -> Listed[RuleTable]:
    """What a file says of ``rule``; ``cameras`` are the names it gives to its cameras."""
    places = Places(RULE, path, text)
    found = tables_in(
        written,
        RuleTable,
        places,
        most=MOST_RULES,
        too_many=f"at most {MOST_RULES} are kept",
        sentence=_sentence,
        keyless="when",
        placed=lambda table: _placed(table, path.parent, home),
    )
    strange = _of_strange_cameras(found.right, places, cameras)
    return replace(found, problems=(*found.problems, *strange))


def _placed(table: Mapping[str, object], folder: Path, home: Path | None) -> Mapping[str, object]:
    """Relative files count from the file's own folder."""
    then = table.get("then")
    if not isinstance(then, dict):
        return table
    files = {key: whole_folder(then[key], folder, home) for key in _FILES if key in then}
    return {**table, "then": then | files}


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


def _of_strange_cameras(
    right: Mapping[int, RuleTable], places: Places, cameras: Sequence[str]
) -> Iterator[Problem]:
    for number, rule in right.items():
        if rule.camera is not None and rule.camera not in cameras:
            what = f"rule.camera = {rule.camera!r}: there is no such camera"
            yield Problem(places.of(number, "camera"), what + nearest(rule.camera, cameras))
