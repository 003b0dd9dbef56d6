"""A version of a model on the shelf, named after its content."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple

DIGEST_LETTERS: Final = 12
"""Of a SHA-256: 48 bits, enough that no two versions of one model are ever called alike."""


class Version(NamedTuple):
    """Which model."""

    name: str
    digest: str | None
    """``digest_of`` its files; None for one that is not on the shelf, such as a packaged model."""

    def __str__(self) -> str:
        return f"{self.name}/{self.digest}" if self.digest else self.name


@dataclass(frozen=True, slots=True)
class Shelved:
    """A version with its place."""

    version: Version
    folder: Path
    order: int
    """Larger for what was admitted later. No time: a board without a clock starts in 1970."""
    admitted_at: float
    """Seconds since 1970, as far as the clock was right."""
    verdict: Mapping[str, Any] = field(default_factory=dict)
    """What its trial said, as ``Verdict.as_json``; empty when it cannot be read any more."""


def digest_of(files: Mapping[str, bytes]) -> str:
    """The same for the same names and contents: the manifest and labels make a version, too."""
    every = hashlib.sha256()
    for name, content in sorted(files.items()):
        every.update(f"{hashlib.sha256(content).hexdigest()}  {name}\n".encode())
    return every.hexdigest()[:DIGEST_LETTERS]
