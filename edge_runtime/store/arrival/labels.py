"""Label files as others write them: plain lines, or lines that carry their numbers."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Final

from edge_runtime.errors import ManifestInvalid

MOST_BYTES: Final = 256 << 10
MOST_LABELS: Final = 10_000
HOLE: Final = "???"
"""Stands for a number without a thing, as in the lists that come with SSD models."""

_NUMBERED: Final = re.compile(r"(\d{1,5})(\s*:\s*|\s+)(\S.*)")
_PLAIN_GAP: Final = " "


def read_labels(content: bytes, name: str) -> tuple[str, ...]:
    """One label a line; ``0 Class A`` and ``0  person`` lose their numbers.

    Numbers may leave holes only where two spaces, a tab or a colon follow them: ``0 cents`` and
    ``10 cents`` are labels. ``name`` is what errors call it. Raises ManifestInvalid.
    """
    if len(content) > MOST_BYTES:
        raise _wrong(name, f"has {len(content)} bytes, expected at most {MOST_BYTES}")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _wrong(name, f"is no UTF-8 text ({error.reason} at byte {error.start})") from None
    lines = [line.strip() for line in text.rstrip().split("\n")]
    if len(lines) > MOST_LABELS:
        raise _wrong(name, f"has {len(lines)} lines, expected at most {MOST_LABELS}")
    for number, line in enumerate(lines, start=1):
        if not line or not line.isprintable():
            said = "is empty" if not line else f"holds {line[:40]!a}"
            raise _wrong(name, f"line {number} {said}, expected one label a line")
    return _without_numbers(lines)


def distinct(labels: tuple[str, ...]) -> tuple[str, ...]:
    """Repeated labels numbered, since a classifier's must differ: ImageNet knows two cranes."""
    taken: dict[str, int] = {}
    found: list[str] = []
    for label in labels:
        taken[label] = taken.get(label, 0) + 1
        found.append(label if taken[label] == 1 else f"{label} {taken[label]}")
    return tuple(found)


def _without_numbers(lines: list[str]) -> tuple[str, ...]:
    told = [_NUMBERED.fullmatch(line.replace("\t", "  ")) for line in lines]
    matches = [each for each in told if each]
    numbers = [int(each[1]) for each in matches]
    if len(matches) < len(lines) or numbers[0] != 0:
        return tuple(lines)
    names = [each[3] for each in matches]
    if numbers == list(range(len(lines))):
        return tuple(names)
    rising = all(low < high for low, high in pairwise(numbers))
    apart = all(each[2] != _PLAIN_GAP for each in matches)
    if not rising or not apart or numbers[-1] >= MOST_LABELS:
        return tuple(lines)
    found = [HOLE] * (numbers[-1] + 1)
    for number, label in zip(numbers, names, strict=True):
        found[number] = label
    return tuple(found)


def _wrong(name: str, what: str) -> ManifestInvalid:
    return ManifestInvalid(f"label file {name} {what}")
