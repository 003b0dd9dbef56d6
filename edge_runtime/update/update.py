"""From one version to another, with a way back at every step.

The new package and the one it replaces are on disk before anything is installed, and the record
says what was begun. What is not proven when the power comes back is taken back: one rule for every
moment at which it may have gone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from edge_runtime.errors import (
    SupervisorUnavailable,
    UpdateRefused,
    UpdateRolledBack,
    UpdateStuck,
)
from edge_runtime.update.dpkg import NAME, Dpkg, InstallFailed, Package
from edge_runtime.update.health import Health, Level
from edge_runtime.update.keep import Keep
from edge_runtime.update.record import Kept, Record, Step

WITHIN_S: Final = 120.0
"""A Pi 3 is ready after a third of it; ``TimeoutStartSec=`` of the service is 90 s."""

MARGIN_BYTES: Final = 64 << 20
"""What has to stay free on the card."""


@dataclass(frozen=True, slots=True)
class Conditions:
    """What a package has to be, and how long it may take to prove itself."""

    sha256: str | None = None
    allow_downgrade: bool = False
    within_s: float = WITHIN_S


@dataclass(frozen=True, slots=True)
class Machine:
    """What an update works with."""

    dpkg: Dpkg
    health: Health
    repack: Callable[[Path], None]
    """Makes a package of what is installed."""
    free_bytes: Callable[[], int]
    """Where packages are kept and installed."""
    rescue: Callable[[], bytes]
    """This very program, for the next boot."""
    shield: Callable[[], None]
    """Called when from now on Ctrl-C and a lost terminal must not end it."""
    tell: Callable[[str], None]
    """A line for who waits."""


class Update:
    """Every method holds the folder: a second one at the same time is refused."""

    def __init__(self, keep: Keep, machine: Machine) -> None:
        self._keep, self._machine, self._dpkg = keep, machine, machine.dpkg

    def install(self, pieces: Iterator[bytes], conditions: Conditions) -> str:
        """Install the package that ``pieces`` are; the sentence that tells of it.

        Raises UpdateRefused before anything was changed, UpdateRolledBack, UpdateStuck.
        """
        with self._keep.held():
            record = self._ready_record()
            installed = self._installed()
            try:
                sha256 = self._keep.receive(pieces)
                trial = self._admitted(sha256, installed, conditions)
                record = self._with_way_back(record, installed)
            except (UpdateRefused, OSError):
                self._keep.sweep(record)
                raise
            return self._try(record, trial, conditions.within_s)

    def roll_back(self, within_s: float) -> str:
        """Install the version before the last update again. Raises as ``install`` does."""
        with self._keep.held():
            record = self._ready_record()
            installed = self._installed()
            trial = record.before
            if trial is None or not self._keep.has(trial):
                raise UpdateRefused("no earlier version is kept, so there is none to go back to")
            self._dpkg.describe(self._keep.path(trial))
            return self._try(self._with_way_back(record, installed), trial, within_s)

    def resume(self) -> str:
        """Take back what was cut short. Raises UpdateStuck when that fails."""
        with self._keep.held():
            record = self._keep.record()
            if record.step is Step.IDLE:
                self._keep.sweep(record)
                return "no update was cut short"
            # At boot the service has not begun, and comes in its turn.
            runs = self._machine.health.look().level is not Level.STOPPED
            told = self._put_back(record, "it was cut short before it had proven itself")
            problem = self._restarted(Level.FAILED, 0.0) if runs else None
            if problem is not None:
                raise UpdateStuck(f"{told}, but it could not be started: {problem}")
            return told

    def record(self) -> Record:
        """How far it is, without holding anything."""
        return self._keep.record()

    def _ready_record(self) -> Record:
        record = self._keep.record()
        if record.step is not Step.IDLE:
            raise UpdateRefused(
                "an update was cut short and has to be finished first: "
                "sudo edge-runtime update --resume"
            )
        self._keep.sweep(record)
        return record

    def _installed(self) -> str:
        installed = self._dpkg.installed()
        if installed is None:
            raise UpdateRefused(
                "edge-runtime is not installed as a Debian package here, so there is none to "
                "update; by hand it goes with git and pip"
            )
        if not self._dpkg.is_whole():
            raise UpdateRefused(
                f"the installed version {installed} is damaged (`dpkg --verify {NAME}` says how), "
                "so it would be no way back; install it again first: "
                "sudo apt install --reinstall ./edge-runtime_VERSION_ARCH.deb"
            )
        return installed

    def _admitted(self, sha256: str, installed: str, conditions: Conditions) -> Kept:
        expected = conditions.sha256
        if expected is not None and sha256 != expected.lower():
            raise UpdateRefused(f"that file is not the expected one: its SHA-256 is {sha256}")
        package = self._dpkg.describe(self._keep.incoming)
        self._require_ours(package)
        if self._dpkg.is_older(package.version, than=installed) and not conditions.allow_downgrade:
            raise UpdateRefused(
                f"that is {package.version}, older than the installed {installed}: "
                "with --allow-downgrade it is installed nevertheless"
            )
        self._require_room(package)
        self._machine.tell(f"{installed} is installed, {package.version} is offered")
        kept = self._keep.admit(package.version, sha256)
        # By its name that ends in .deb, as apt wants it.
        self._dpkg.rehearse(self._keep.path(kept))
        return kept

    def _require_ours(self, package: Package) -> None:
        if package.name != NAME:
            raise UpdateRefused(f"that is the package {package.name}; expected {NAME}")
        here = self._dpkg.architecture()
        if package.architecture != here:
            raise UpdateRefused(
                f"that package is for {package.architecture}, and this machine is {here}: "
                f"expected edge-runtime_{package.version}_{here}.deb"
            )

    def _require_room(self, package: Package) -> None:
        # dpkg unpacks beside the old files. What is packed anew is less than half of that.
        needed = package.installed_kib * 1536 + MARGIN_BYTES
        free = self._machine.free_bytes()
        if free < needed:
            raise UpdateRefused(
                f"the update needs {needed >> 20} MiB of free space for a while, and there are "
                f"{free >> 20} MiB"
            )

    def _with_way_back(self, record: Record, installed: str) -> Record:
        """The record with a package file of what is installed now."""
        good = record.good
        if good and good.version == installed and self._keep.has(good):
            self._dpkg.describe(self._keep.path(good))
            return record
        self._machine.tell(f"packing the installed {installed}, as a way back")
        good = self._keep.pack(installed, self._machine.repack)
        self._dpkg.describe(self._keep.path(good))
        # What was kept of another installation leads nowhere from here.
        return Record(good=good, before=record.before)

    def _try(self, record: Record, trial: Kept, within_s: float) -> str:
        before = self._machine.health.look().level
        self._machine.shield()
        self._keep.put_rescue(self._machine.rescue())
        record = Record(Step.INSTALLING, record.good, trial, record.before)
        self._keep.write(record)
        try:
            return self._tried(record, trial, before, within_s)
        except OSError as error:
            raise UpdateStuck(
                f"the folder of updates cannot be written any more ({error.strerror or error}); "
                "at the next boot the version before is put back"
            ) from error

    def _tried(self, record: Record, trial: Kept, before: Level, within_s: float) -> str:
        self._machine.tell(f"installing {trial.version}")
        try:
            self._dpkg.install(self._keep.path(trial))
            self._keep.write(record.at(Step.WATCHING))
            problem = self._restarted(before, within_s)
        except InstallFailed as error:
            problem = f"it could not be installed: {error}"
        if problem is None:
            return self._kept_trial(record, trial, before)
        told = self._put_back(record, problem)
        problem = self._restarted(before, within_s)
        if problem is not None:
            raise UpdateStuck(f"{told}, but it does not run as before: {problem}")
        raise UpdateRolledBack(told)

    def _restarted(self, wanted: Level, within_s: float) -> str | None:
        """What is wrong with the installed version, which has to come as far as ``wanted``."""
        health = self._machine.health
        if wanted is Level.STOPPED:
            return None
        try:
            start = health.restart()
        except SupervisorUnavailable as error:
            return str(error)
        if wanted is Level.FAILED:
            return None  # it cannot become worse
        self._machine.tell(f"restarted; it has {within_s:.0f} s to be as well as before")
        return health.problem_within(within_s, wanted, start)

    def _kept_trial(self, record: Record, trial: Kept, before: Level) -> str:
        told = f"{trial.version} is installed"
        if before is Level.STOPPED:
            told += "; the service was stopped and stays so, so nobody knows yet how it runs"
        elif before is Level.FAILED:
            told += "; the service did not run before, so it was not judged by that"
        else:
            told += " and runs as well as the version before"
        done = record.proven(told)
        self._keep.write(done)
        self._keep.sweep(done)
        return told

    def _put_back(self, record: Record, why: str) -> str:
        """Install the version before; the sentence that tells of it. Raises UpdateStuck."""
        good, trial = record.good, record.trial
        if good is None or trial is None:
            raise UpdateStuck(
                "the record of the update names no version to go back to: install the one you want "
                "with `sudo apt install ./edge-runtime_VERSION_ARCH.deb`"
            )
        self._machine.tell(f"{trial.version}: {why}")
        self._machine.tell(f"putting {good.version} back")
        self._keep.write(record.at(Step.REVERTING))
        try:
            self._dpkg.put_back(self._keep.path(good))
        except InstallFailed as error:
            raise UpdateStuck(
                f"{trial.version} was given up ({why}), and {good.version} could not be put back: "
                f"{error}; sudo edge-runtime update --resume tries again, as does the next boot"
            ) from error
        told = f"{trial.version} was given up: {why}; {good.version} is installed again"
        done = record.reverted(told)
        self._keep.write(done)
        self._keep.sweep(done)
        return told
