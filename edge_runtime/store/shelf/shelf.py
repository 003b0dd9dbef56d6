"""The models that were admitted, on disk so that no power cut leaves half of anything.

    root/name/<12 digits>/    model, manifest.json, labels, verdict.json; never changed again
    root/active.json          for each role what is active, and what was before
    root/history.jsonl        every activation
    root/rejected/            what was refused, beside the reason

Whatever is written is prepared under a hidden name, brought onto the medium and renamed into place.
Several programs may share a shelf: who writes holds its folder.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from edge_runtime.errors import ModelMissing, ModelRejected
from edge_runtime.store.manifest import FILE_NAME, Manifest
from edge_runtime.store.shelf.activation import Activation
from edge_runtime.store.shelf.choices import Choices, read_choices, write_choices
from edge_runtime.store.shelf.disk import Disk, SystemDisk, ensure_folder, part_of, writing
from edge_runtime.store.shelf.history import History
from edge_runtime.store.shelf.rejected import Rejected
from edge_runtime.store.shelf.version import Shelved, Version, digest_of
from edge_runtime.store.shelf.versions import VERDICT, Versions
from edge_runtime.store.trial.verdict import Verdict

logger = logging.getLogger(__name__)

KEEP: Final = 5
"""Versions of each model, besides those that are active or were before."""

ACTIVE, HISTORY, REJECTED = "active.json", "history.jsonl", "rejected"
_FILE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


class Shelf:
    """Call ``recover`` once before anything else.

    A change is on the medium when its call returns, and never half done, also when ShelfUnwritable
    was raised. Reading needs no right to write.
    """

    def __init__(
        self,
        root: Path,
        *,
        keep: int = KEEP,
        rejected: Path | None = None,
        disk: Disk | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        """``rejected``: where what was refused goes, if it is not to lie on the shelf."""
        self.root = root
        self._keep = keep
        self._disk = disk or SystemDisk()
        self._now = now
        self._active = root / ACTIVE
        self._versions = Versions(root, self._disk)
        self._history = History(root / HISTORY, self._disk)
        self._rejected = Rejected(rejected or root / REJECTED, self._disk)

    def recover(self) -> None:
        """Clear away what a power cut left unfinished. Writes nothing when there is nothing.

        Raises ShelfUnwritable; what is on the shelf can be read all the same.
        """
        if not self._leftovers() and not self._unnoted():
            return
        with self._writing():
            for path in self._leftovers():
                logger.info("%s was never finished and is removed", path)
                self._disk.remove(path)
            self._history.append(self._unnoted())

    def names(self) -> tuple[str, ...]:
        """Of the models that have versions here."""
        return tuple(self._versions.names())

    def versions(self, name: str) -> tuple[Shelved, ...]:
        """Of one model, the latest first."""
        return tuple(self._versions.of(name))

    def folder(self, version: Version) -> Path:
        """Where a version lies. Raises ModelMissing when it is not on the shelf."""
        if not self._versions.stands(version):
            kept = ", ".join(str(each.version) for each in self.versions(version.name)) or "none"
            raise ModelMissing(f"{version} is not on the shelf {self.root}; of it there is {kept}")
        return self._versions.path(version)

    def admit(self, manifest: Manifest, files: Mapping[str, bytes], verdict: Verdict) -> Version:
        """Put a model that passed its trial on the shelf; the same files twice are one version.

        ``files`` are the model, its manifest and its labels by file name. Only the latest versions
        stay, and those that are active or were before. Raises ModelRejected or ShelfUnwritable.
        """
        _require_admissible(manifest, files, verdict)
        version = Version(manifest.name, digest_of(files))
        with self._writing():
            if not self._versions.stands(version):
                self._versions.place(version, files, verdict.as_json(), self._now())
            self._versions.keep(version)
            self._thin_out(version)
        return version

    def remove(self, version: Version) -> None:
        """Take a version off. Raises ModelMissing, or ModelRejected while it is active."""
        with self._writing():
            self.folder(version)
            active = [role for role in self.choices() if self.active(role) == version]
            if active:
                raise ModelRejected(
                    f"{version} is active as {', '.join(active)}: activate another one first"
                )
            self._versions.take_off(version)

    def choices(self) -> Choices:
        """For each role its activations whose models are still there, the active one last."""
        choices = read_choices(self._disk, self._active)
        return {role: tuple(filter(self._stands, stack)) for role, stack in choices.items()}

    def active(self, role: str) -> Version | None:
        """What was put into a role last and is still there; None: what the settings name."""
        stack = self.choices().get(role)
        return stack[-1].version if stack else None

    def activate(self, role: str, version: Version, *, who: str, why: str) -> None:
        """Remember that a model is in a role from now on. Raises ModelMissing, ShelfUnwritable."""
        with self._writing():
            if version.digest is not None:
                self.folder(version)
            stack = self.choices().get(role, ())
            others = [each for each in stack if each.version != version]
            self._choose(role, others, self._activation(role, version, who, why, "activated"))

    def roll_back(self, role: str, *, who: str, why: str) -> Version | None:
        """Put what was active before back into a role, and return it; None: what the settings name.

        Raises ModelMissing when nothing is there that was activated, or ShelfUnwritable.
        """
        with self._writing():
            stack = self.choices().get(role)
            if not stack or stack[-1].version is None:
                raise ModelMissing(f"no model was activated as {role}: there is none to roll back")
            before = stack[-2].version if len(stack) > 1 else None
            made = self._activation(role, before, who, why, "rolled back")
            self._choose(role, stack[:-2], made)
            return before

    def note_failure(self, role: str, version: Version, *, who: str, why: str, result: str) -> None:
        """Write down an activation that did not come about; what was active before still is."""
        with self._writing():
            self._history.append([self._activation(role, version, who, why, result)])

    def history(self) -> tuple[Activation, ...]:
        """Every activation that is still known, the oldest first."""
        return self._history.read()

    def reject(self, dropped: Path, reason: str) -> Path:
        """Move a dropped file to ``rejected/``; returns the text with the reason beside it."""
        with self._writing():
            return self._rejected.take(dropped, reason)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        with writing(self.root):
            ensure_folder(self._disk, self.root)
            with self._disk.held(self.root):
                yield

    def _leftovers(self) -> list[Path]:
        parts = [part_of(self.root / name) for name in (ACTIVE, HISTORY)]
        there = self._disk.names(self.root)
        return [*(part for part in parts if part.name in there), *self._versions.leftovers()]

    def _stands(self, activation: Activation) -> bool:
        version = activation.version
        return version is None or version.digest is None or self._versions.stands(version)

    def _thin_out(self, new: Version) -> None:
        """Only the latest versions stay, and those somebody may want back."""
        wanted = {each.version for stack in self.choices().values() for each in stack[-2:]}
        for old in self._versions.of(new.name)[self._keep :]:
            if old.version not in wanted | {new}:
                self._versions.take_off(old.version)

    def _activation(
        self, role: str, version: Version | None, who: str, why: str, result: str
    ) -> Activation:
        known = [*self._history.read(), *self._chosen()]
        return Activation(
            number=1 + max((each.number for each in known), default=0),
            at=self._now(),
            role=role,
            version=version,
            who=who,
            why=why,
            result=result,
        )

    def _choose(self, role: str, before: Sequence[Activation], made: Activation) -> None:
        """Make an activation count, then write it down."""
        choices = read_choices(self._disk, self._active)
        write_choices(self._disk, self._active, {**choices, role: (*before, made)})
        try:
            self._history.append(self._unnoted())
        except OSError as error:
            # It counts already; ``recover`` and the next activation make up for the line.
            logger.error("the history of activations lacks the last one: %s", error)

    def _chosen(self) -> list[Activation]:
        stacks = read_choices(self._disk, self._active).values()
        return sorted((each for stack in stacks for each in stack), key=lambda each: each.number)

    def _unnoted(self) -> list[Activation]:
        """What was chosen but is not in the history: the power went in between."""
        last = max((each.number for each in self._history.read()), default=0)
        return [each for each in self._chosen() if each.number > last]


def _require_admissible(manifest: Manifest, files: Mapping[str, bytes], verdict: Verdict) -> None:
    if not verdict.ok or verdict.sha256 != manifest.sha256:
        raise ModelRejected(f"model {manifest.name} is not admitted: {verdict.reason}")
    if manifest.name in (ACTIVE, HISTORY, REJECTED):
        raise ModelRejected(f"a model cannot be called {manifest.name}: set another name")
    named = (manifest.model, *(each.model for each in manifest.variants), FILE_NAME)
    missing = [name for name in dict.fromkeys(named) if name not in files]
    odd = [name for name in files if not _FILE.fullmatch(name) or name == VERDICT]
    if missing or odd:
        raise ModelRejected(
            f"model {manifest.name} is not admitted: of its files "
            + " and ".join(
                [f"{name} is missing" for name in missing]
                + [f"{name!r} cannot be called so" for name in odd]
            )
        )
