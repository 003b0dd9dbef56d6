"""One example of each answer, for the API's description; a test holds them against their models."""

from __future__ import annotations

from collections.abc import Iterator

from edge_runtime.web.doctor_report import CheckReport, DoctorReport
from edge_runtime.web.event_report import (
    EventReport,
    EventsReport,
    FigureReport,
    FiguresReport,
    RuleReport,
    RulesReport,
)
from edge_runtime.web.report import (
    Alive,
    CameraReport,
    FaceReport,
    FrameReport,
    GovernorReport,
    LatencyReport,
    LimitsReport,
    LookReport,
    MachineReport,
    ModelReport,
    PowerReport,
    PreviewReport,
    Problem,
    RatesReport,
    Readiness,
    Report,
    SightReport,
    StateReport,
    StatusReport,
    ThrottlingReport,
    ViewReport,
)
from edge_runtime.web.session_report import GONE, SessionReport
from edge_runtime.web.shelf_report import (
    ActivationReport,
    Done,
    FateReport,
    HistoryReport,
    MeasuredReport,
    ModelsReport,
    QualityReport,
    VersionReport,
)

AT = 1_764_072_000.0
DIGEST = "3f9c01d2a4be" + "5c" * 26
CAMERA = CameraReport(
    description="Pi camera imx708, 640x480 at 30 fps", state="streaming", width=640, height=480,
    live=True, reopened=0, problem=None,
)  # fmt: skip
LABELS = {"smile": {"neutral": 0.07, "smile": 0.93}}
FACE = FaceReport(track=3, box=(200, 120, 120, 160), score=0.91, labels=LABELS)
FRAME = FrameReport(
    number=4476, age_s=0.1, width=640, height=480, motion=0.012, detected=True,
    looks=(LookReport(window=(0, 0, 640, 480), reason="glance"),), faces=(FACE,),
)  # fmt: skip
RATES = RatesReport(
    captured_fps=30.0, processed_fps=29.8, dropped_fps=0.2, captured=4501, processed=4477,
    dropped=24, skipped=0, frames_with_face=4000, inferences=9000,
)  # fmt: skip
LATENCY = {
    "detect": LatencyReport(p50=6.25, p95=7.1, p99=9.3),
    "frame": LatencyReport(p50=9.4, p95=11.2, p99=14.8),
    "age": LatencyReport(p50=18.0, p95=24.0, p99=33.0),
}
MACHINE = MachineReport(
    board="Raspberry Pi 4 Model B Rev 1.2", uptime_s=3725, cpu_percent=41.3,
    system_cpu_percent=18.0, cpu_frequency_mhz=1500, memory_mb=96.5, peak_memory_mb=101.0,
    memory_available_mb=2750, temperature_c=54.2, temperature_limit_c=80.0,
    throttling=ThrottlingReport(
        under_voltage=False, frequency_capped=False, throttled=False, soft_temperature_limit=False,
        under_voltage_since_boot=True, frequency_capped_since_boot=False,
        throttled_since_boot=False, soft_temperature_limit_since_boot=False,
    ),
    power=PowerReport(watts=3.41, plus_minus=0.8, source="model of a Pi 4B", scope="board"),
    energy_per_frame_mj=114.5, energy_per_inference_mj=57.2,
)  # fmt: skip
STATUS = StatusReport(
    version="0.1.0",
    state=StateReport(
        level="fine", sentence="Fine: 29.8 frames a second, 1 face", advice=None, others=()
    ),
    camera=CAMERA, frame=FRAME, rates=RATES, latency_ms=LATENCY,
    models=(
        ModelReport(
            name="face-glance", version="0.1.0", kind="face-detector", sha256=DIGEST, bytes=43584,
            backend="litert",
        ),
    ),
    model_events=2,
    newest_event=1_764_072_000_001,
    limits=LimitsReport(hot_c=75.0, stale_s=3.0, low_memory_mb=48.0, most_dropped=0.5),
    machine=MACHINE,
    governor=GovernorReport(level=0, looks=None, detect_every=1, fps=None, reasons=()),
    preview=PreviewReport(viewers=1, max_viewers=8, pixelated=True),
    cameras=(
        SightReport(
            name="front-door", matter=None, camera=CAMERA, frame=FRAME, rates=RATES,
            latency_ms=LATENCY,
            view=ViewReport(
                viewers=1, fps=5.0, width=640, quality=52, step=2, steps=5, reason="viewer"
            ),
        ),
    ),
)  # fmt: skip
MOOD = VersionReport(
    name="mood", version="3f9c01d2a4be", state="active", role="classifier/mood", origin="shelf",
    kind="crop-classifier", bytes=31608, sha256=DIGEST, admitted_at=AT - 3600, active_since=AT,
    measured=MeasuredReport(
        median_ms=0.42, p95_ms=0.51, memory_mb=1.5, backend="litert", accuracy=0.97
    ),
    quality=QualityReport(
        measure="balanced accuracy", value=0.9256, data="1,275 held-back portraits of LFW"
    ),
    problem=None,
)  # fmt: skip
CAME = EventReport(
    id=1_764_072_000_001, time="2025-11-25T12:00:00.125Z", kind="face_came", camera="front-door",
    track=3, fields={"score": 0.913, "box": (200, 120, 120, 160), "faces": 1},
    sentence="A face came",
)  # fmt: skip
GATE = RuleReport(
    name="open-the-gate", when=("label_changed",), does="switch GPIO 17 on for 1 s", done=4,
    failed=0, dropped=0, held_back=2, waiting=0, problem=None,
)  # fmt: skip
WARM = FigureReport(low=(None, 53.9), mean=(None, 54.2), high=(None, 54.6))
SUPPLY = CheckReport(
    name="power supply", state="act", text="under-voltage now",
    remedy="use the official supply of this board and a short, thick cable",
)  # fmt: skip
ACTIVATED = "mood/3f9c01d2a4be is active as classifier/mood"


def examples() -> Iterator[Report]:
    """At most one of each model."""
    yield STATUS
    yield ModelsReport(
        models=(MOOD,),
        comparison=None,
        events=(FateReport(at=AT, what="activated", model=str(MOOD.name), sentence=ACTIVATED),),
        largest_bytes=64 << 20,
    )
    yield HistoryReport(
        activations=(
            ActivationReport(
                number=1, at=AT, role="classifier/mood", model="mood/3f9c01d2a4be", who="page",
                why="by hand", result="activated",
            ),
        )
    )  # fmt: skip
    yield Done(detail=ACTIVATED, model="mood/3f9c01d2a4be")
    yield EventsReport(events=(CAME,), next=CAME.id, more=False, gap=False)
    yield RulesReport(rules=(GATE,))
    yield FiguresReport(
        span="hour", step_s=5.0, ends_at=AT, figures={"temperature_c": WARM}, cameras={}
    )
    yield DoctorReport(findings=(SUPPLY,))
    yield SessionReport(asked=True, name="kitchen", scope="view", expires_at=AT + 86400)
    yield GONE
    yield Alive(version="0.1.0")
    yield Readiness(ready=False, reason="Camera lost 12 s ago, retrying")
    yield Problem(
        title="Not Found",
        status=404,
        detail="There is no camera 'yard': expected one of front-door.",
    )
