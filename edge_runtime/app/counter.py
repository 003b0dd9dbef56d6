"""Where the page hands models in and chooses them: the same desk and shelf as everybody's."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from edge_runtime.app.activator import Activator, Tell
from edge_runtime.app.assembly import Assembly
from edge_runtime.app.intake import Intake, drops_folder
from edge_runtime.app.lineup import CLASSIFIER, DETECTOR, SHIPPED
from edge_runtime.app.status import Status
from edge_runtime.app.tuned import measured_here
from edge_runtime.config import Config
from edge_runtime.errors import EdgeRuntimeError, ModelRejected
from edge_runtime.store.arrival.names import ignored, shown, unfinished
from edge_runtime.store.catalogue import Holding, hold
from edge_runtime.store.desk import Desk
from edge_runtime.store.shelf.activation import Activation
from edge_runtime.store.shelf.disk import writing
from edge_runtime.store.shelf.shelf import Shelf
from edge_runtime.store.shelf.version import Shelved, Version
from edge_runtime.web.shelf_report import (
    ActivationReport,
    ComparisonReport,
    Done,
    FateReport,
    HistoryReport,
    MeasuredReport,
    ModelsReport,
    VersionReport,
)

MIB: Final = 1 << 20
WHO: Final = "page"
WHY: Final = "by hand"
ON_SHELF: Final = "shelf"

UPLOADS: Final = ".upload"
"""In the folder for drops. It is hidden, so what is in it is nobody's drop."""


class ReceivedFile:
    """A file that comes in pieces, under its own name in a hidden folder. See web's ``Upload``."""

    def __init__(self, folder: Path, name: str, *, desk: Desk, intake: Intake, tell: Tell) -> None:
        self._folder, self._name = folder, name
        self._desk, self._intake, self._tell = desk, intake, tell
        with writing(folder):
            # What is there broke off when the power went: there is only one upload at a time.
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            self._file = (folder / name).open("xb")

    def write(self, content: bytes) -> None:
        with writing(self._folder):
            self._file.write(content)

    def take_in(self) -> Done:
        """The way of every drop, but the answer goes to who sent it, who still has the file."""
        with writing(self._folder):
            self._file.close()
        try:
            version, manifest = self._desk.take_in(self._folder / self._name)
        except EdgeRuntimeError as error:
            self._tell("refused", self._name, str(error))
            raise
        why = f"{shown(self._name)} was uploaded"
        sentence = self._intake.admitted(version, manifest, who=WHO, why=why)
        return Done(detail=sentence, model=str(version))

    def close(self) -> None:
        with writing(self._folder):
            try:
                self._file.close()
            finally:
                self._desk.clear(self._folder)


class Counter:
    """Lists the shelf and what came with the program, and passes on what is asked for."""

    def __init__(
        self,
        config: Config,
        *,
        assembly: Assembly,
        activator: Activator,
        desk: Desk,
        intake: Intake,
        status: Status,
        tell: Tell,
    ) -> None:
        self.largest_bytes = config.models.largest_mb * MIB
        self._config, self._drops = config, drops_folder(config)
        self._assembly, self._activator = assembly, activator
        self._desk, self._intake, self._status, self._tell = desk, intake, status, tell

    @property
    def _shelf(self) -> Shelf:
        return self._desk.shelf

    def models(self) -> ModelsReport:
        """What is on the shelf, then what came with the program."""
        return ModelsReport(
            models=(*self._on_shelf(), *self._shipped()),
            comparison=self._comparison(),
            events=tuple(map(FateReport.model_validate, self._status.model_events())),
            largest_bytes=self.largest_bytes,
        )

    def history(self) -> HistoryReport:
        return HistoryReport(activations=tuple(map(_activation, self._shelf.history())))

    def upload(self, name: str) -> ReceivedFile:
        """Raises ModelRejected for what is no file's name, or ShelfUnwritable."""
        if Path(name).name != name or ignored(name) or unfinished(name) or "\0" in name:
            raise ModelRejected(
                f"a file cannot be called {shown(name)}: expected a name such as mood.zip, without "
                "a path, a dot in front, or an ending of unfinished files"
            )
        return ReceivedFile(
            self._drops / UPLOADS, name, desk=self._desk, intake=self._intake, tell=self._tell
        )

    def activate(self, name: str, version: str | None) -> Done:
        model = name.removeprefix(CLASSIFIER) if name != DETECTOR else self._playing_name(name)
        role, chosen = self._assembly.lineup.named(f"{model}/{version}" if version else model)
        self._activator.activate(role, chosen, who=WHO, why=WHY)
        return Done(detail=self._activator.standing(role, chosen), model=str(chosen))

    def roll_back(self, name: str) -> Done:
        role = self._role(name)
        before = self._activator.roll_back(role, who=WHO, why=WHY)
        sentence = f"{before or 'what the settings name'} is active as {role}"
        return Done(detail=sentence, model=None if before is None else str(before))

    def remove(self, name: str, version: str) -> Done:
        kept = self._assembly.lineup.kept(f"{name}/{version}")
        self._shelf.remove(kept)
        sentence = f"{kept} is off the shelf"
        self._tell("removed", str(kept), sentence)
        return Done(detail=sentence, model=str(kept))

    def _playing_name(self, role: str) -> str:
        opened = self._assembly.playing(role)
        return role if opened is None else opened.model.manifest.name

    def _role(self, name: str) -> str:
        if name == DETECTOR or name.startswith(CLASSIFIER):
            return name
        roles = self._assembly.roles
        return next((r for r in roles if self._playing_name(r) == name), CLASSIFIER + name)

    def _on_shelf(self) -> Iterator[VersionReport]:
        playing = {self._activator.version(role): role for role in self._assembly.roles}
        stacks = self._shelf.choices().values()
        since = {stack[-1].version: stack[-1].at for stack in stacks if stack}
        before = {stack[-2].version for stack in stacks if len(stack) > 1}
        for name in self._shelf.names():
            for each in self._shelf.versions(name):
                role = playing.get(each.version)
                report = _described(hold(each.folder)) | _tried(each)
                yield VersionReport(
                    name=name,
                    version=str(each.version.digest),
                    origin=ON_SHELF,
                    role=role,
                    state="active" if role else "before" if each.version in before else "kept",
                    active_since=since.get(each.version) if role else None,
                    **report,
                )

    def _shipped(self) -> Iterator[VersionReport]:
        playing = {
            opened.model.folder: role
            for role in self._assembly.roles
            if (opened := self._assembly.playing(role)) is not None
        }
        for holding in self._assembly.lineup.holdings():
            role = playing.get(holding.folder)
            yield VersionReport(
                name=holding.model.manifest.name if holding.model else holding.folder.name,
                version=SHIPPED,
                origin=str(holding.folder),
                role=role,
                state="active" if role else "kept",
                active_since=self._since(role),
                admitted_at=None,
                measured=self._tuned(holding),
                **_described(holding),
            )

    def _tuned(self, holding: Holding) -> MeasuredReport | None:
        """What ``edge-runtime tune`` measured of a shipped model on this board, as it runs here."""
        found = None if holding.model is None else measured_here(holding.model, self._config)
        if found is None:
            return None
        return MeasuredReport(
            median_ms=found[1].median_ms,
            p95_ms=None,
            memory_mb=None,
            backend=self._config.engine.backend,
            accuracy=None,
        )

    def _since(self, role: str | None) -> float | None:
        """When somebody chose what is shipped; None where the settings did."""
        stack = self._shelf.choices().get(role, ()) if role else ()
        return stack[-1].at if stack and stack[-1].version is not None else None

    def _comparison(self) -> ComparisonReport | None:
        running = self._activator.comparison()
        if running is None:
            return None
        version, report = running
        return ComparisonReport(
            candidate=str(version),
            crops=report.crops,
            agreement=report.agreement,
            candidate_ms=report.candidate_ms,
            incumbent_ms=report.incumbent_ms,
            reason=report.reason,
        )


def _described(holding: Holding) -> dict[str, Any]:
    model = holding.model
    return {
        "kind": model.manifest.kind if model else None,
        "bytes": model.bytes if model else None,
        "sha256": model.sha256 if model else None,
        "quality": model.manifest.quality if model else None,
        "problem": str(holding.problem) if holding.problem else None,
    }


def _tried(shelved: Shelved) -> dict[str, Any]:
    figures: Mapping[str, Any] | None = shelved.verdict.get("figures")
    return {
        "admitted_at": shelved.admitted_at or None,
        "measured": MeasuredReport.model_validate(figures) if figures else None,
    }


def _activation(made: Activation) -> ActivationReport:
    return ActivationReport(
        number=made.number,
        at=made.at,
        role=made.role,
        model=_named(made.version),
        who=made.who,
        why=made.why,
        result=made.result,
    )


def _named(version: Version | None) -> str | None:
    return None if version is None else str(version)
