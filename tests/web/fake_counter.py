"""A counter that keeps models in a dictionary, and refuses as the real one does."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any

from edge_runtime.errors import EdgeRuntimeError, ModelMissing, ModelRejected
from edge_runtime.web.shelf_report import (
    ActivationReport,
    Done,
    HistoryReport,
    MeasuredReport,
    ModelsReport,
    QualityReport,
    VersionReport,
)

SMILE = VersionReport(
    name="smile",
    version="shipped",
    state="active",
    role="classifier/smile",
    origin="/opt/models/smile",
    kind="crop-classifier",
    bytes=31608,
    sha256="cd" * 32,
    admitted_at=None,
    active_since=None,
    measured=None,
    quality=QualityReport(measure="balanced accuracy", value=0.9256, data="held-back portraits"),
    problem=None,
)


def mood(digits: str, **more: Any) -> VersionReport:
    measured = MeasuredReport(
        median_ms=0.42, p95_ms=0.51, memory_mb=1.5, backend="litert", accuracy=None
    )
    changed = {
        "name": "mood",
        "version": digits,
        "state": "kept",
        "role": None,
        "origin": "shelf",
        "admitted_at": 1_700_000_000.0,
        "measured": measured,
    }
    return SMILE.model_copy(update=changed | more)


@dataclass
class FakeUpload:
    counter: FakeCounter
    name: str
    content: bytes = b""
    closed: bool = False

    def write(self, content: bytes) -> None:
        self.content += content

    def take_in(self) -> Done:
        self.counter.began.set()
        assert self.counter.goes_on.wait(5)
        if self.counter.error:
            raise self.counter.error
        self.counter.kept.insert(0, mood("3f9c01d2a4be", state="active", role="classifier/mood"))
        return Done(detail="mood/3f9c01d2a4be is on the shelf", model="mood/3f9c01d2a4be")

    def close(self) -> None:
        self.closed = True


@dataclass
class FakeCounter:
    """``error`` is raised by whatever is asked for next."""

    largest_bytes: int = 1 << 20
    kept: list[VersionReport] = field(default_factory=lambda: [SMILE])
    error: EdgeRuntimeError | None = None
    uploads: list[FakeUpload] = field(default_factory=list)
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    goes_on: threading.Event = field(default_factory=threading.Event)
    """Uploads are tried as soon as it is set."""
    began: threading.Event = field(default_factory=threading.Event)
    """Set once a trial has begun."""

    def __post_init__(self) -> None:
        self.goes_on.set()

    def models(self) -> ModelsReport:
        return ModelsReport(
            models=tuple(self.kept), comparison=None, events=(), largest_bytes=self.largest_bytes
        )

    def history(self) -> HistoryReport:
        first = ActivationReport(
            number=1, at=1.7e9, role="classifier/mood", model="mood/3f9c01d2a4be",
            who="page", why="by hand", result="activated",
        )  # fmt: skip
        return HistoryReport(activations=(first,))

    def upload(self, name: str) -> FakeUpload:
        if "/" in name:
            raise ModelRejected(f"a file cannot be called {name}")
        self.uploads.append(FakeUpload(self, name))
        return self.uploads[-1]

    def activate(self, name: str, version: str | None) -> Done:
        return self._change(name, version, "active", "is active")

    def roll_back(self, name: str) -> Done:
        return self._change(name, None, "kept", "is rolled back")

    def remove(self, name: str, version: str) -> Done:
        done = self._change(name, version, "kept", "is off the shelf")
        self.kept = [each for each in self.kept if (each.name, each.version) != (name, version)]
        return done

    def _change(self, name: str, version: str | None, state: str, words: str) -> Done:
        self.asked.append((name, version))
        if self.error:
            raise self.error
        meant = name.removeprefix("classifier/")
        found = [e for e in self.kept if e.name == meant and version in (None, e.version)]
        if not found:
            raise ModelMissing(f"{name} is not on the shelf")
        role = f"classifier/{meant}" if state == "active" else None
        update = {"state": state, "role": role}
        self.kept = [e.model_copy(update=update) if e in found[:1] else e for e in self.kept]
        return Done(detail=f"{name} {words}", model=f"{name}/{found[0].version}")
