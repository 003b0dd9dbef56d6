"""How far an update is, as it is kept on disk."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any

from edge_runtime.errors import UpdateStuck


class Step(StrEnum):
    """What was begun last. Whatever is not idle after a power cut is taken back."""

    IDLE = "idle"
    INSTALLING = "installing"
    WATCHING = "watching"
    """The new version is installed and has to prove itself."""
    REVERTING = "reverting"


@dataclass(frozen=True, slots=True)
class Kept:
    """A package file in the folder of updates."""

    file: str
    """Its name there."""
    version: str


@dataclass(frozen=True, slots=True)
class Record:
    """Which versions there are, which one is on trial, and how it went."""

    step: Step = Step.IDLE
    good: Kept | None = None
    """What is installed when idle, and what is put back otherwise."""
    trial: Kept | None = None
    """What is being installed; None when idle."""
    before: Kept | None = None
    """What was good before ``good``: where a roll-back leads."""
    told: str = ""
    """The sentence in which the last update ended."""

    @property
    def files(self) -> frozenset[str]:
        """The names of all files that are still needed."""
        return frozenset(kept.file for kept in (self.good, self.trial, self.before) if kept)

    def at(self, step: Step) -> Record:
        return replace(self, step=step)

    def proven(self, told: str) -> Record:
        """The trial is the good one from now on."""
        return Record(good=self.trial, before=self.good, told=told)

    def reverted(self, told: str) -> Record:
        """The trial is given up."""
        return replace(self, step=Step.IDLE, trial=None, told=told)

    def to_json(self) -> bytes:
        return json.dumps(asdict(self), indent=1).encode() + b"\n"


def record_of(content: bytes, where: str) -> Record:
    """What ``to_json`` wrote. Raises UpdateStuck; ``where`` is for its sentence."""
    try:
        read = json.loads(content)
        packages = {name: _kept(read[name]) for name in ("good", "trial", "before")}
        return Record(step=Step(read["step"]), told=str(read["told"]), **packages)
    except (ValueError, KeyError, TypeError) as error:
        raise UpdateStuck(
            f"{where} is damaged ({error}), so it is not known which version is good: install the "
            "one you want with `sudo apt install ./edge-runtime_VERSION_arm64.deb`, then remove "
            "that file"
        ) from error


def _kept(read: Any) -> Kept | None:
    return None if read is None else Kept(read["file"], read["version"])
