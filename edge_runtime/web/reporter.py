"""From the program's nouns to the page's report."""

from __future__ import annotations

from dataclasses import dataclass

from edge_runtime.types import Clock, Face, Health, Snapshot
from edge_runtime.web.findings import state_of
from edge_runtime.web.preview import Preview
from edge_runtime.web.report import (
    CameraReport,
    FaceReport,
    FrameReport,
    GovernorReport,
    LatencyReport,
    MachineReport,
    ModelReport,
    PreviewReport,
    RatesReport,
    StatusReport,
)
from edge_runtime.web.status import StatusSource


@dataclass(frozen=True, slots=True)
class Reporter:
    """Makes a report of this moment."""

    status: StatusSource
    preview: Preview
    version: str
    clock: Clock

    def report(self) -> StatusReport:
        camera, snapshot, health = (
            self.status.camera(),
            self.status.snapshot(),
            self.status.health(),
        )
        now = self.clock()
        return StatusReport(
            version=self.version,
            state=state_of(camera, snapshot, health, self.status.warnings(), now),
            camera=CameraReport.model_validate(camera),
            frame=None if snapshot is None else _frame(snapshot, now),
            rates=None if snapshot is None else _rates(snapshot, self.status.skipped()),
            latency_ms={} if snapshot is None else _latency(snapshot),
            models=() if snapshot is None else _models(snapshot),
            model_events=sum(self.status.model_counts().values()),
            machine=None if health is None else _machine(health),
            governor=GovernorReport.model_validate(self.status.allowance()),
            preview=PreviewReport(
                viewers=self.preview.viewers,
                max_viewers=self.preview.max_viewers,
                pixelated=self.preview.pixelate,
            ),
        )


def _frame(snapshot: Snapshot, now: float) -> FrameReport:
    age = max(0.0, now - snapshot.taken_at)
    return FrameReport(
        number=snapshot.frame,
        # A lost camera's age is news once a second, not at every tick.
        age_s=round(age, 1) if age < 2 else float(int(age)),
        width=snapshot.width,
        height=snapshot.height,
        motion=snapshot.motion,
        detected=snapshot.detected,
        faces=tuple(map(_face, snapshot.faces)),
    )


def _face(face: Face) -> FaceReport:
    x, y, w, h = map(round, face.box)
    labels = {model: dict(scores) for model, scores in face.labels.items()}
    return FaceReport(track=face.track, box=(x, y, w, h), score=face.score, labels=labels)


def _rates(snapshot: Snapshot, skipped: int) -> RatesReport:
    rates = snapshot.rates
    return RatesReport(
        captured_fps=rates.captured_fps,
        processed_fps=rates.processed_fps,
        dropped_fps=rates.dropped_fps,
        captured=rates.captured,
        processed=rates.processed,
        dropped=rates.dropped,
        skipped=skipped,
        frames_with_face=snapshot.frames_with_face,
        inferences=snapshot.inferences,
    )


def _latency(snapshot: Snapshot) -> dict[str, LatencyReport]:
    return {
        stage: LatencyReport.model_validate(percentiles)
        for stage, percentiles in snapshot.latency.items()
    }


def _models(snapshot: Snapshot) -> tuple[ModelReport, ...]:
    return tuple(map(ModelReport.model_validate, snapshot.models))


def _machine(health: Health) -> MachineReport:
    return MachineReport.model_validate(health)
