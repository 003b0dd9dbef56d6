"""What the web room asks of the program it shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from edge_runtime.telemetry.history import Span, Stretch
from edge_runtime.types import Allowance, Camera, Health, ModelFate, Snapshot
from edge_runtime.web.event_source import EventSource, Rules


class CameraSource(Protocol):
    """The newest of one camera."""

    @property
    def name(self) -> str: ...

    def snapshot(self) -> Snapshot | None:
        """The last frame's; None before the first."""

    def camera(self) -> Camera: ...

    def skipped(self) -> int:
        """Frames left with the camera since the start because no more were allowed."""


class HistorySource(Protocol):
    """Keeps figures over time."""

    def stretch(self, span: Span) -> Stretch:
        """A copy of the last hour or day."""


class StatusSource(Protocol):
    """The newest of everything. Each answer is at once there: nothing here waits or computes."""

    def cameras(self) -> Sequence[CameraSource]:
        """At least one, always the same ones."""

    def health(self) -> Health | None:
        """The last reading; None before the first."""

    def allowance(self) -> Allowance:
        """How much work may be done now, and why not more."""

    def warnings(self) -> tuple[str, ...]:
        """Sentences a person should know about, worst first."""

    def model_counts(self) -> Mapping[ModelFate, int]:
        """How often which became of a model since the start; what never did may be missing."""

    def events(self) -> EventSource:
        """What happened lately."""

    def rules(self) -> Rules:
        """Every rule of the settings, as it stands."""

    def history(self) -> HistorySource:
        """The figures of the last hour and day."""
