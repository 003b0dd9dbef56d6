"""``history.jsonl``: every activation, the oldest first, one JSON object a line."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from edge_runtime.store.shelf.activation import Activation
from edge_runtime.store.shelf.disk import Disk, replace_file

logger = logging.getLogger(__name__)

MOST_BYTES: Final = 256 << 10
"""Beyond this the older half goes."""


class History:
    """Grows at its end; whoever writes holds the shelf."""

    def __init__(self, file: Path, disk: Disk) -> None:
        self._file, self._disk = file, disk

    def read(self) -> tuple[Activation, ...]:
        """All that is known. A line that a power cut left half written is left out."""
        lines = self._content().splitlines()
        found = (_activation(line) for line in lines if line.strip())
        return tuple(each for each in found if each is not None)

    def append(self, activations: Sequence[Activation]) -> None:
        """Add lines, for good. Raises OSError."""
        lines = b"".join(each.to_json().encode() + b"\n" for each in activations)
        before = self._content()
        if before and not before.endswith(b"\n"):
            lines = b"\n" + lines
        if len(before) + len(lines) > MOST_BYTES:
            replace_file(self._disk, self._file, _newer_half(before) + lines)
            return
        self._disk.append(self._file, lines)
        self._disk.sync(self._file)
        if not before:
            self._disk.sync(self._file.parent)

    def _content(self) -> bytes:
        try:
            return self._disk.read(self._file)
        except FileNotFoundError:
            return b""
        except OSError as error:
            logger.warning("the history of activations %s cannot be read: %s", self._file, error)
            return b""


def _newer_half(content: bytes) -> bytes:
    lines = content.splitlines(keepends=True)
    return b"".join(lines[len(lines) // 2 :])


def _activation(line: bytes) -> Activation | None:
    try:
        return Activation.from_fields(json.loads(line))
    except (ValueError, RecursionError, TypeError, KeyError) as error:
        logger.warning("a line of the history of activations is damaged: %s", error)
        return None
