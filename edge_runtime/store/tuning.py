"""``tuned.json``: how fast each model ran on this board, in each way that keeps its accuracy.

A figure holds only for the model, the board and the interpreter it was measured with, so nothing
else ever uses it.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

from edge_runtime.store.shelf.disk import Disk, SystemDisk, ensure_folder, replace_file, writing

logger = logging.getLogger(__name__)

FILE_NAME: Final = "tuned.json"


class Conditions(NamedTuple):
    """What a measurement holds for."""

    board: str
    """The board's model, without its revision."""
    cores: int
    """That this program may use."""
    engine: str
    """The interpreter's library with its version."""


@dataclass(frozen=True, slots=True)
class Setup:
    """A way to run a model, and how long a run took."""

    variant: str
    sha256: str
    """Of the variant's .tflite."""
    threads: int
    xnnpack: bool
    median_ms: float

    @classmethod
    def from_fields(cls, fields: dict[str, Any]) -> Setup:
        """Raises KeyError, TypeError or ValueError for what no measurement can have written."""
        setup = cls(
            variant=str(fields["variant"]),
            sha256=str(fields["sha256"]),
            threads=int(fields["threads"]),
            xnnpack=bool(fields["xnnpack"]),
            median_ms=float(fields["median_ms"]),
        )
        if setup.threads < 1:
            raise ValueError(f"{setup.threads} threads")
        return setup

    def __str__(self) -> str:
        kernels = "with XNNPACK" if self.xnnpack else "without XNNPACK"
        return f"{self.variant} on {self.threads} thread(s), {kernels}"


@dataclass(frozen=True, slots=True)
class Tuned:
    """What was measured of one model."""

    sha256: str
    """Of the model its folder names."""
    conditions: Conditions
    setups: tuple[Setup, ...]
    """Those that lose no more accuracy than was allowed; the fastest first."""

    def fastest(self, threads: int | None = None) -> Setup | None:
        """The fastest, of those on so many threads if a number is given; None: none was tried."""
        return next((each for each in self.setups if threads in (None, each.threads)), None)

    @classmethod
    def from_fields(cls, fields: dict[str, Any]) -> Tuned:
        """Raises as ``Setup.from_fields``."""
        return cls(
            str(fields["sha256"]),
            Conditions(str(fields["board"]), int(fields["cores"]), str(fields["engine"])),
            tuple(map(Setup.from_fields, fields["setups"])),
        )

    def as_fields(self) -> dict[str, Any]:
        setups = [asdict(setup) for setup in self.setups]
        return {"sha256": self.sha256, **self.conditions._asdict(), "setups": setups}


class Tunings:
    """The file. One entry for each model under the same conditions; the later one counts."""

    def __init__(self, file: Path, disk: Disk | None = None) -> None:
        self.file = file
        self._disk = disk or SystemDisk()

    def of(self, sha256: str) -> tuple[Tuned, ...]:
        """What was measured of a model, on whatever board."""
        return tuple(each for each in self._read() if each.sha256 == sha256)

    def put(self, tuned: Tuned) -> None:
        """Remember, at once or not at all, also when the power goes. Raises ShelfUnwritable."""
        with writing(self.file.parent):
            ensure_folder(self._disk, self.file.parent)
            with self._disk.held(self.file.parent):
                others = [each for each in self._read() if not _same(each, tuned)]
                entries = [each.as_fields() for each in (*others, tuned)]
                replace_file(self._disk, self.file, json.dumps(entries, indent=1).encode() + b"\n")

    def _read(self) -> Sequence[Tuned]:
        """All entries; none when the file is missing, or damaged, which is logged."""
        try:
            return [Tuned.from_fields(each) for each in json.loads(self._disk.read(self.file))]
        except FileNotFoundError:
            return []
        except (OSError, ValueError, RecursionError, TypeError, KeyError) as error:
            logger.warning(
                "%s cannot be read (%s): settings decide how models run", self.file, error
            )
            return []


def _same(one: Tuned, other: Tuned) -> bool:
    return (one.sha256, one.conditions) == (other.sha256, other.conditions)
