"""What ``/api/v1/status`` says, field by field. Unknown is null, never 0."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from edge_runtime.identity import Verdict
from edge_runtime.types import LookReason

Level = Literal["fine", "watch", "act"]

Tenths = Annotated[float, AfterValidator(lambda value: round(value, 1))]
Hundredths = Annotated[float, AfterValidator(lambda value: round(value, 2))]
Thousandths = Annotated[float, AfterValidator(lambda value: round(value, 3))]


class Report(BaseModel):
    """Made once, never changed."""

    model_config = ConfigDict(frozen=True, from_attributes=True)


class Finding(Report):
    """One sentence about how it is going."""

    level: Level = Field(description="`fine`, `watch` (may need you) or `act` (needs you)")
    sentence: str
    advice: str | None = Field(description="What to do about it")


class StateReport(Report):
    """The worst finding as the headline, and the others."""

    level: Level = Field(description="`fine`, `watch` (may need you) or `act` (needs you)")
    sentence: str = Field(examples=["Fine: 29.8 frames a second, 2 faces"])
    advice: str | None = Field(description="What to do about it")
    others: tuple[Finding, ...] = Field(description="Further findings, worst first")


class CameraReport(Report):
    """Where the frames come from."""

    description: str = Field(examples=["Pi camera imx708, 1536x864 at 30 fps"])
    state: Literal["opening", "streaming", "lost", "ended"]
    width: int | None = Field(description="Of the full picture, pixels")
    height: int | None = Field(description="Of the full picture, pixels")
    live: bool = Field(description="False for files: every frame counts, none is dropped")
    reopened: int = Field(description="How often it was lost and came back")
    problem: str | None = Field(description="Why it is lost, or ended too early")


class PersonReport(Report):
    """Who a face is; where recognition is switched on."""

    verdict: Verdict = Field(description="`unsure` until enough was seen")
    name: str | None = Field(description="Of whom the face is, where it is `known`")
    score: Hundredths | None = Field(description="Cosine with the nearest person, -1 to 1")
    hindrance: str | None = Field(description="Why the last look at it did not count")
    turned: bool = Field(description="Its head was seen to turn, as no photograph's can")


class FaceReport(Report):
    """One face of the last frame."""

    track: int = Field(description="Stays the same while it is the same face")
    box: tuple[int, int, int, int] = Field(description="x, y, width, height in pixels of the frame")
    score: Hundredths = Field(description="The detector's, 0 to 1")
    labels: dict[str, dict[str, Hundredths]] = Field(
        description="Classifier to label to probability, 0 to 1"
    )
    person: PersonReport | None = Field(
        default=None, description="Who it is; null where nobody is to be recognized"
    )


class LookReport(Report):
    """A window of the picture that the detector was shown."""

    window: tuple[int, int, int, int] = Field(description="x, y, width, height in pixels")
    reason: LookReason = Field(description="The whole view, a followed face, or a tile's turn")


class FrameReport(Report):
    """The last frame that was looked at."""

    number: int
    age_s: float = Field(description="Seconds since it was taken")
    width: int = Field(description="Pixels")
    height: int = Field(description="Pixels")
    motion: Thousandths = Field(description="Share of the view that changed, 0 to 1")
    detected: bool = Field(description="False when the detector rested")
    looks: tuple[LookReport, ...] = Field(description="Where it looked; empty when it rested")
    faces: tuple[FaceReport, ...]


class RatesReport(Report):
    """How frames flow, over a sliding window of seconds; totals since the start."""

    captured_fps: Tenths | None = Field(description="Frames per second from the camera")
    processed_fps: Tenths | None = Field(description="Frames per second with a result")
    dropped_fps: Tenths | None = Field(
        description="Frames per second that were replaced by newer ones unseen"
    )
    captured: int
    processed: int
    dropped: int
    skipped: int = Field(
        description="Left with the camera by the governor: neither captured nor dropped"
    )
    frames_with_face: int
    inferences: int = Field(description="Model runs")


class LatencyReport(Report):
    """Of one stage over a sliding window, milliseconds."""

    p50: Thousandths
    p95: Thousandths
    p99: Thousandths


class ModelReport(Report):
    """A model that runs now."""

    name: str
    version: str
    kind: str
    sha256: str = Field(description="Of the model's file")
    bytes: int = Field(description="Size of the model's file")
    backend: str


class PowerReport(Report):
    """Power drawn, and how far to believe it."""

    watts: Hundredths
    plus_minus: Hundredths = Field(description="Half-width of the error, watts")
    source: str = Field(examples=["model of a Pi 4B"])
    scope: Literal["soc", "board", "wall"] = Field(description="What the figure includes")


class ThrottlingReport(Report):
    """The firmware's alarms, now and at any time since boot; null where the board cannot tell."""

    under_voltage: bool | None
    frequency_capped: bool | None
    throttled: bool | None
    soft_temperature_limit: bool | None
    under_voltage_since_boot: bool | None
    frequency_capped_since_boot: bool | None
    throttled_since_boot: bool | None
    soft_temperature_limit_since_boot: bool | None


class MachineReport(Report):
    """How the machine is."""

    board: str
    uptime_s: Annotated[float, AfterValidator(round)] = Field(
        description="Of this program, seconds"
    )
    cpu_percent: Tenths | None = Field(description="Of this program; 100 is one core")
    system_cpu_percent: Tenths | None = Field(description="Of all cores; 100 is all of them busy")
    cpu_frequency_mhz: Annotated[float, AfterValidator(round)] | None = Field(
        description="Of the first core"
    )
    memory_mb: Tenths | None = Field(description="Resident memory of this program, MiB")
    peak_memory_mb: Tenths | None = Field(description="The most it ever was, MiB")
    memory_available_mb: Annotated[float, AfterValidator(round)] | None = Field(
        description="Left on the machine, MiB"
    )
    temperature_c: Tenths | None = Field(description="Of the processor, degrees Celsius")
    temperature_limit_c: Tenths | None = Field(
        description="Where the processor is slowed down, degrees Celsius"
    )
    throttling: ThrottlingReport | None
    power: PowerReport | None
    energy_per_frame_mj: Tenths | None = Field(
        description="Power over processed frame rate, millijoules: all of the power's scope"
    )
    energy_per_inference_mj: Tenths | None = Field(
        description="Power over inferences per second, millijoules"
    )


class GovernorReport(Report):
    """What is given up so that the limits of heat, power and speed are kept, and why."""

    level: int = Field(description="0: nothing is given up; more saves more")
    looks: int | None = Field(description="Most detector calls per frame; null: as configured")
    detect_every: int = Field(description="1: the detector may run on every frame")
    fps: Tenths | None = Field(description="Most frames per second from the camera; null: all")
    reasons: tuple[str, ...] = Field(description="One sentence each; empty: nothing is given up")


class LimitsReport(Report):
    """Where a figure stops being fine, so that every reader draws the line at the same place."""

    hot_c: Tenths | None = Field(
        description="From here on it is hot, degrees Celsius; null: no limit is known"
    )
    stale_s: float = Field(description="A picture older than this is no longer live, seconds")
    low_memory_mb: float = Field(description="Less memory left on the machine is too little, MiB")
    most_dropped: float = Field(
        description="Share of a live camera's pictures that may go unseen, 0 to 1"
    )


class PreviewReport(Report):
    """The live view."""

    viewers: int
    max_viewers: int
    pixelated: bool = Field(description="Whether faces are made unrecognizable")


class ViewReport(Report):
    """The live view of a camera: one for all who watch, as the slowest needs it."""

    viewers: int
    fps: Tenths = Field(description="Pictures a second")
    width: int = Field(description="Pixels at most")
    quality: int = Field(description="Of the JPEG, 1 to 100")
    step: int = Field(description="0: as configured; each further one is cheaper")
    steps: int = Field(description="How many there are")
    reason: Literal["viewer", "making"] | None = Field(
        description="Why not as configured: the slowest viewer's line, or making takes too long"
    )


class SightReport(Report):
    """One of the cameras, with all that is known of it alone."""

    name: str = Field(description="As `?camera=` takes it", examples=["front-door"])
    matter: str | None = Field(description="What is the matter with it; null while frames flow")
    camera: CameraReport
    frame: FrameReport | None = Field(description="null before the first frame")
    rates: RatesReport | None = Field(description="null before the first frame")
    latency_ms: dict[str, LatencyReport] = Field(description="As the status's own")
    view: ViewReport | None = Field(description="null while nobody watches it")


class StatusReport(Report):
    """Everything the page shows. Of several cameras, what is no list is about the first."""

    version: str = Field(description="Of this program")
    state: StateReport
    camera: CameraReport
    frame: FrameReport | None = Field(description="null before the first frame")
    rates: RatesReport | None = Field(description="null before the first frame")
    latency_ms: dict[str, LatencyReport] = Field(
        description="Stages in order; `frame` is all of them together, `age` the time from the "
        "picture being taken to its result"
    )
    models: tuple[ModelReport, ...]
    model_events: int = Field(
        description="Things that became of models since the start: when it grows, "
        "`/api/v1/models` has news"
    )
    newest_event: int = Field(
        description="The `id` of the last event: when it changes, `/api/v1/events` has news"
    )
    limits: LimitsReport
    machine: MachineReport | None = Field(description="null before the first reading")
    governor: GovernorReport
    preview: PreviewReport
    cameras: tuple[SightReport, ...] = Field(description="Every camera, in the settings' order")


class Readiness(Report):
    """Whether frames flow."""

    ready: bool
    reason: str | None = Field(description="One sentence when not ready")


class Alive(Report):
    """The process is up."""

    alive: Literal[True] = True
    version: str


class Problem(Report):
    """What went wrong, and what to do."""

    type: str = Field(default="about:blank", description="Always `about:blank`: `status` says all")
    title: str = Field(description="The status in words", examples=["Not Found"])
    status: int = Field(description="As in the answer's first line", examples=[404])
    detail: str = Field(
        description="One sentence: what, and what to do",
        examples=["There is no camera 'yard': expected one of front, back."],
    )
    manifest: str | None = Field(
        default=None,
        description="Of an upload: a manifest.json to fill in, when that is all that is missing",
    )
