"""An array of tables of a file, such as ``[[camera]]``: each checked alone, then all together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from edge_runtime.config.places import Places
from edge_runtime.config.problem import Problem, shown
from edge_runtime.config.table import NamedTable

_Written = Mapping[str, object]
"""A table as the file says it."""

Sentence = Callable[[ErrorDetails, int, _Written], str]
"""What is wrong with a table, by the error, the table's number from 0 and what it says."""


TableT = TypeVar("TableT", bound=NamedTable)


@dataclass(frozen=True, slots=True)
class Listed(Generic[TableT]):
    """What was found in a file. With problems it is not to be used."""

    right: Mapping[int, TableT]
    """By number the tables that are right one by one."""
    tables: tuple[TableT, ...]
    """The same, no more than there may be."""
    origins: Mapping[str, str]
    """``camera`` and ``camera.0.name`` to the file and line."""
    problems: tuple[Problem, ...]


def tables_in(
    written: object,
    model: type[TableT],
    places: Places,
    *,
    most: int,
    too_many: str,
    sentence: Sentence,
    keyless: str = "name",
    placed: Callable[[_Written], _Written] = lambda table: table,
) -> Listed[TableT]:
    """Check what a file says of ``[[places.name]]``.

    ``too_many`` ends the sentence on more than ``most`` tables. A mistake of a table as a whole is
    shown at its key ``keyless``. ``placed`` is what a table means where it stands.
    """
    name = places.name
    if not isinstance(written, list) or not all(isinstance(table, dict) for table in written):
        what = f"{name} = {shown(written)}: expected tables, each written [[{name}]]"
        return Listed({}, (), {}, (Problem(places.first, what),))
    right: dict[int, TableT] = {}
    problems: list[Problem] = []
    for number, table in enumerate(written):
        try:
            right[number] = model.model_validate(placed(table))
        except ValidationError as error:
            for detail in error.errors(include_url=False, include_context=False):
                key = str(detail["loc"][0]) if detail["loc"] else keyless
                problems.append(Problem(places.of(number, key), sentence(detail, number, table)))
    if len(written) > most:
        problems.append(Problem(places.of(most, ""), f"{len(written)} {name}s: {too_many}"))
    problems += _twice(right, places)
    origins = {name: places.first} | {
        f"{name}.{number}.{key}": places.of(number, key)
        for number in right
        for key in model.model_fields
    }
    return Listed(right, tuple(right.values())[:most], origins, tuple(problems))


def _twice(right: Mapping[int, NamedTable], places: Places) -> Iterator[Problem]:
    first: dict[str, int] = {}
    for number, table in right.items():
        before = first.setdefault(table.name, number)
        if before != number:
            what = f"{places.name}.name = {table.name!r}: {places.name} {before + 1} has that name"
            yield Problem(places.of(number, "name"), what)
