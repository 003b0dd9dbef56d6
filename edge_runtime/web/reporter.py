"""From the program's nouns to the page's report."""

from __future__ import annotations

from dataclasses import dataclass

from edge_runtime.types import Clock, Face, Health, Look, Snapshot
from edge_runtime.web.findings import limits_of, matter_of, state_of
from edge_runtime.web.preview import Preview
from edge_runtime.web.previews import Previews
from edge_runtime.web.report import (
    CameraReport,
    FaceReport,
    FrameReport,
    GovernorReport,
    LatencyReport,
    LookReport,
    MachineReport,
    ModelReport,
    PersonReport,
    PreviewReport,
    RatesReport,
    SightReport,
    StatusReport,
    ViewReport,
)
from edge_runtime.web.sight import Sight, models_of, sights_of
from edge_runtime.web.status import StatusSource


@dataclass(frozen=True, slots=True)
class Reporter:
    """Makes a report of this moment."""

    status: StatusSource
    previews: Previews
    version: str
    clock: Clock

    def report(self) -> StatusReport:
        sights, health = sights_of(self.status.cameras()), self.status.health()
        now = self.clock()
        cameras = tuple(_sight(sight, self.previews.of(sight.name), now) for sight in sights)
        first = cameras[0]
        return StatusReport(
            version=self.version,
            state=state_of(sights, health, self.status.warnings(), now),
            camera=first.camera,
            frame=first.frame,
            rates=first.rates,
            latency_ms=first.latency_ms,
            models=tuple(map(ModelReport.model_validate, models_of(sights))),
            model_events=sum(self.status.model_counts().values()),
            newest_event=self.status.events().newest,
            limits=limits_of(health),
            machine=None if health is None else _machine(health),
            governor=GovernorReport.model_validate(self.status.allowance()),
            preview=PreviewReport(
                viewers=self.previews.viewers,
                max_viewers=self.previews.max_viewers,
                pixelated=self.previews.pixelate,
            ),
            cameras=cameras,
        )


def _sight(sight: Sight, preview: Preview, now: float) -> SightReport:
    snapshot = sight.snapshot
    return SightReport(
        name=sight.name,
        matter=matter_of(sight, now),
        camera=CameraReport.model_validate(sight.camera),
        frame=None if snapshot is None else _frame(snapshot, now),
        rates=None if snapshot is None else _rates(snapshot, sight.skipped),
        latency_ms={} if snapshot is None else _latency(snapshot),
        view=_view(preview),
    )


def _view(preview: Preview) -> ViewReport | None:
    viewers, fidelity = preview.viewers, preview.fidelity
    if not viewers:
        return None
    step = fidelity.step
    return ViewReport(
        viewers=viewers,
        fps=step.fps,
        width=step.width,
        quality=step.quality,
        step=fidelity.number,
        steps=len(fidelity.steps),
        reason=fidelity.reason,
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
        looks=tuple(map(_look, snapshot.looks)),
        faces=tuple(map(_face, snapshot.faces)),
    )


def _look(look: Look) -> LookReport:
    x, y, w, h = map(round, look.window)
    return LookReport(window=(x, y, w, h), reason=look.reason)


def _face(face: Face) -> FaceReport:
    x, y, w, h = map(round, face.box)
    labels = {model: dict(scores) for model, scores in face.labels.items()}
    return FaceReport(
        track=face.track,
        box=(x, y, w, h),
        score=face.score,
        labels=labels,
        person=None if face.identity is None else PersonReport.model_validate(face.identity),
    )


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


def _machine(health: Health) -> MachineReport:
    return MachineReport.model_validate(health)
