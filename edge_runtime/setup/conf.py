"""The text of an ``edge.conf``: lines ``key = value``, read one by one and never by a shell.

A file that a person wrote in Notepad: it may begin with a byte order mark, end its lines with CR
LF, or be UTF-16. A line that is wrong does no harm to the others. What was applied becomes a
comment, so the file is a record of what was done and a place to write the next wish:

    # applied: hostname = cam7
    # PROBLEM: line 4, wifi_password: ...
    wifi_password = short
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Final

from edge_runtime.masking import masked_uri

KEYS: Final = (
    "hostname",
    "wifi_name",
    "wifi_password",
    "wifi_country",
    "ssh_key",
    "camera",
    "token",
    "model",
)
REPEATABLE: Final = frozenset({"ssh_key", "model"})
SECRET: Final = frozenset({"wifi_password", "token"})
"""Wiped from the file when they are applied."""

LARGEST: Final = 64 * 1024
"""Bytes of a file that is read; a larger one is something else under this name."""

MARK: Final = "# PROBLEM: "
_APPLIED: Final = "# applied: "
_AS_IT_IS: Final = "surrogateescape"
"""Bytes that are no UTF-8 are written back as they were."""
_EMPTY: Final = re.compile(r"\s*(#.*)?")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the file; ``key`` is None where it sets nothing."""

    number: int
    """As an editor counts, from 1."""
    text: str = field(repr=False)
    key: str | None = None
    value: str = field(default="", repr=False)
    problem: str | None = None
    """Why it cannot be used, whatever its value."""

    @property
    def wishes(self) -> bool:
        """Whether it asks for something that could be done."""
        return self.key is not None and self.problem is None


def read(content: bytes) -> tuple[Line, ...]:
    """The lines of a file. Nothing is an error here: what is wrong with a line stands in it."""
    lines: list[Line] = []
    seen: dict[str, int] = {}
    for number, text in enumerate(_lines(content), 1):
        line = _line(number, text, seen)
        if line.wishes and line.key is not None:
            seen.setdefault(line.key, number)
        lines.append(line)
    return tuple(lines)


def written(lines: Iterable[Line], applied: Iterable[int], problems: Mapping[int, str]) -> bytes:
    """The file as it is left: numbers of lines that were ``applied``, and the others' problems.

    A problem is said on a line of its own above the one it is about; old ones go.
    """
    done = frozenset(applied)
    left: list[str] = []
    for line in lines:
        if line.text.startswith(MARK):
            continue
        if problem := problems.get(line.number):
            left.append(f"{MARK}{problem}")
        left.append(_as_applied(line) if line.number in done else line.text)
    # Notepad of old shows bare LF as one endless line.
    return "".join(f"{text}\r\n" for text in left).encode("utf-8", _AS_IT_IS)


def _lines(content: bytes) -> list[str]:
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode("utf-16", "replace").splitlines()
    return content.decode("utf-8-sig", _AS_IT_IS).splitlines()


def _line(number: int, text: str, seen: Mapping[str, int]) -> Line:
    if _EMPTY.fullmatch(text):
        return Line(number, text)
    key, equals, value = (part.strip() for part in text.partition("="))
    key = key.lower()
    if not equals:
        shown = "what stands there" if len(text) > 40 else repr(text.strip())
        return Line(number, text, problem=f"{shown} is not KEY = VALUE, such as hostname = cam7")
    if key not in KEYS:
        return Line(number, text, problem=_unknown(key))
    return Line(number, text, key, _unquoted(value), _unfit(key, value, seen))


def _unknown(key: str) -> str:
    near = get_close_matches(key, KEYS, n=1)
    meant = f"did you mean {near[0]}?" if near else f"known are {', '.join(KEYS)}"
    return f"there is no key {key!r:.60}: {meant}"


def _unfit(key: str, value: str, seen: Mapping[str, int]) -> str | None:
    if key in seen and key not in REPEATABLE:
        return f"{key} stands on line {seen[key]} already; only one of them can hold"
    if any("\udc80" <= letter <= "\udcff" for letter in value):
        return f"{key} has a character that is no UTF-8: save the file as UTF-8"
    if not value.isprintable():
        return f"{key} has a character that cannot be seen: type the value anew"
    if not _unquoted(value):
        return f"{key} has no value: write one, or put # in front of the line"
    return None


def _unquoted(value: str) -> str:
    """Quotes are for blanks at the ends, as a Wi-Fi password may have them."""
    quoted = len(value) >= 2 and value[0] == value[-1] == '"'
    return value[1:-1] if quoted else value


def _as_applied(line: Line) -> str:
    shown = "***" if line.key in SECRET else masked_uri(line.value)
    return f"{_APPLIED}{line.key} = {shown}"
