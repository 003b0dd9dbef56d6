"""What ``/api/v1/models`` says, field by field. Unknown is null, never 0."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from edge_runtime.types import ModelFate
from edge_runtime.web.report import Report, Thousandths


class MeasuredReport(Report):
    """What was measured on this device, on one thread."""

    median_ms: Thousandths
    p95_ms: Thousandths | None
    memory_mb: float | None = Field(
        description="MiB by which the process grew at its peak; null where only time was measured"
    )
    backend: str
    accuracy: float | None = Field(description="Share of examples it got right; null without any")


class QualityReport(Report):
    """How good it was where it was measured, as its manifest says."""

    measure: str = Field(examples=["balanced accuracy"])
    value: float = Field(description="0 to 1, 1 is best")
    data: str = Field(description="What it was measured on", examples=["1,275 held-back portraits"])


class VersionReport(Report):
    """One version of a model: on the shelf, or shipped."""

    name: str
    version: str = Field(description="Digits on the shelf, or `shipped`", examples=["3f9c01d2a4be"])
    state: Literal["active", "before", "kept"] = Field(
        description="`before` is what a roll back leads to"
    )
    role: str | None = Field(description="What it does while active", examples=["classifier/smile"])
    origin: str = Field(description="Where it lies", examples=["shelf", "/opt/models/smile"])
    kind: str | None = Field(description="null when it cannot be read")
    bytes: int | None = Field(description="Size of the model's file")
    sha256: str | None
    admitted_at: float | None = Field(description="Seconds since 1970")
    active_since: float | None = Field(
        description="Seconds since 1970; null when not active, or since the start by the settings"
    )
    measured: MeasuredReport | None = Field(
        description="By the trial of what was handed in, by `edge-runtime tune` of what was shipped"
    )
    quality: QualityReport | None = Field(description="null when its manifest says nothing of it")
    problem: str | None = Field(description="Why it cannot be used")


class ComparisonReport(Report):
    """A candidate on live crops, beside the classifier whose role it may take."""

    candidate: str
    crops: int
    agreement: float | None = Field(description="Share of crops with the same best label")
    candidate_ms: Thousandths | None = Field(description="Median per crop")
    incumbent_ms: Thousandths | None = Field(description="Median per crop")
    reason: str = Field(description="How it stands, in words")


class FateReport(Report):
    """Something that became of a model."""

    at: float = Field(description="Seconds since 1970")
    what: ModelFate
    model: str = Field(description="Name and version, or the file's name when it was refused")
    sentence: str


class ModelsReport(Report):
    """Every model there is."""

    models: tuple[VersionReport, ...]
    comparison: ComparisonReport | None = Field(description="null while none runs")
    events: tuple[FateReport, ...] = Field(description="The last 50, the newest last")
    largest_bytes: int = Field(description="What may be uploaded")


class ActivationReport(Report):
    """An entry of the history."""

    number: int
    at: float = Field(description="Seconds since 1970")
    role: str
    model: str | None = Field(description="null: back to what the settings name")
    who: str
    why: str
    result: str = Field(description="`activated`, `rolled back`, or what went wrong")


class HistoryReport(Report):
    """Every activation that is still known, the oldest first."""

    activations: tuple[ActivationReport, ...]


class Done(Report):
    """What was done, in a sentence."""

    detail: str = Field(examples=["mood/3f9c01d2a4be is active as classifier/mood"])
    model: str | None = Field(description="The model it leads to, with its version")
