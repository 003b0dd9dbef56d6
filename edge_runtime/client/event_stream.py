"""Server-sent events, line by line, as the HTML standard says they are read (9.2.6)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

LONGEST_EVENT: Final = 4 << 20
"""Bytes; a status with eight crowded cameras has a hundredth of it."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event."""

    name: str
    data: str
    id: str
    """The last that was said, in this event or before; empty without any."""
    retry_ms: int | None
    """How long to wait before coming again, if anything was said of it so far."""


def events_of(lines: Iterable[bytes]) -> Iterator[Event]:
    """The events in ``lines``; comments and what has no data are passed over.

    Raises ValueError when an event is longer than any of ours.
    """
    name, data, last_id, retry_ms, size = "", list[str](), "", None, 0
    for line in lines:
        text = line.decode("utf-8", "replace").rstrip("\r\n")
        size += len(line)
        if size > LONGEST_EVENT:
            raise ValueError(f"an event of more than {LONGEST_EVENT >> 20} MiB")
        if not text:
            if data:
                yield Event(name or "message", "\n".join(data), last_id, retry_ms)
            name, data, size = "", [], 0
            continue
        field, _, value = text.partition(":")
        value = value.removeprefix(" ")
        match field:
            case "event":
                name = value
            case "data":
                data.append(value)
            case "id" if "\0" not in value:
                last_id = value
            case "retry" if value.isascii() and value.isdecimal():
                retry_ms = int(value[:9])
