"""The nouns every room speaks: frozen, plural means tuple, unknown is None and never 0.

Lengths are pixels of the full picture unless a name says otherwise, times are monotonic seconds,
durations in tables are milliseconds (the name ends in ``_ms``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol, TypeAlias

from edge_runtime.identity import Identity

if TYPE_CHECKING:
    # Nouns need no numpy to be spoken of: who only reads a status over the network goes without.
    import numpy as np
    import numpy.typing as npt

Luma: TypeAlias = "npt.NDArray[np.uint8]"
"""Brightness, shape (height, width), 0 black to 255 white."""

Bgr: TypeAlias = "npt.NDArray[np.uint8]"
"""Colour, shape (height, width, 3), channels blue, green, red (OpenCV's order)."""

Clock = Callable[[], float]
"""Monotonic seconds; ``time.monotonic`` outside tests."""


class Box(NamedTuple):
    """An upright rectangle: left, top, width, height."""

    x: float
    y: float
    w: float
    h: float

    @property
    def right(self) -> float:
        return self.x + self.w

    @property
    def bottom(self) -> float:
        return self.y + self.h

    @property
    def centre(self) -> tuple[float, float]:
        return self.x + self.w / 2, self.y + self.h / 2

    @property
    def area(self) -> float:
        return self.w * self.h

    def iou(self, other: Box) -> float:
        """Intersection over union with ``other``, 0 to 1."""
        x, y, w, h = self
        other_x, other_y, other_w, other_h = other
        across = min(x + w, other_x + other_w) - max(x, other_x)
        down = min(y + h, other_y + other_h) - max(y, other_y)
        if across <= 0 or down <= 0:
            return 0.0
        shared = across * down
        return shared / (w * h + other_w * other_h - shared)

    def clipped(self, width: float, height: float) -> Box:
        """The part of the box inside a picture of ``width`` x ``height``."""
        left, top = min(max(self.x, 0.0), width), min(max(self.y, 0.0), height)
        right, bottom = min(max(self.right, 0.0), width), min(max(self.bottom, 0.0), height)
        return Box(left, top, right - left, bottom - top)


class Picture(Protocol):
    """The full picture behind a frame, touched only where it is asked for.

    Pixels may still be compressed or lie in camera memory: each call costs what it reads. Boxes are
    rounded outwards to whole pixels and clipped to the picture; the returned array may be a
    read-only view which is valid until the frame is closed.
    """

    @property
    def width(self) -> int: ...

    @property
    def height(self) -> int: ...

    def luma(self, box: Box | None = None) -> Luma:
        """Brightness inside ``box``, or of everything."""

    def bgr(self, box: Box | None = None) -> Bgr:
        """Colour inside ``box``, or of everything."""


def _nothing_to_release() -> None:
    return None


@dataclass(frozen=True, slots=True)
class Frame:
    """One moment from a source. Close it once its pixels are no longer needed."""

    index: int
    """Counts from 0 for each opened source."""
    taken_at: float
    """Monotonic seconds when the picture was taken (files: when it was read)."""
    luma: Luma
    """The whole view, small: what the glance looks at. Its aspect may differ from the picture's."""
    picture: Picture
    truth: tuple[Box, ...] | None = None
    """Where the faces really are, for sources that know (the demo)."""
    name: str | None = None
    """The file it came from, for sources that have one."""
    recorded_s: float | None = None
    """Since a recording's start, where frames come at another speed than they were taken."""
    release: Callable[[], None] = field(default=_nothing_to_release, repr=False, compare=False)

    @property
    def moment(self) -> float:
        """Seconds on the pictures' own clock: a recording is followed alike at any speed."""
        return self.taken_at if self.recorded_s is None else self.recorded_s

    def close(self) -> None:
        """Give the pixels back to the camera. ``luma`` and ``picture`` must not be read after."""
        self.release()


class Detection(NamedTuple):
    """A face the detector believes in."""

    box: Box
    score: float
    """0 to 1."""
    sights: int = 1
    """How many looks at the frame found it, each by itself sure enough."""


LookReason = Literal["glance", "face", "tile"]


class Look(NamedTuple):
    """A place the detector was shown in one frame."""

    window: Box
    """In pixels of the picture; the glance's is the whole picture."""
    reason: LookReason
    """The whole view, a face that is followed, or a tile of the pyramid whose turn it was."""


@dataclass(frozen=True, slots=True)
class Region:
    """A place worth classifying: one tracked face in one frame."""

    track: int
    """Stays the same while it is the same face; never used again."""
    box: Box
    score: float


class CropSpec(NamedTuple):
    """What a classifier wants to be given; part of its manifest."""

    width: int
    height: int
    channels: int
    """1 luma, 3 RGB."""
    margin: float
    """Share of the face's longer side added around it in all: 0.25 is an eighth on each side."""
    square: bool


@dataclass(frozen=True, slots=True)
class Crop:
    """The pixels of a region, cut square and brought to a classifier's input size."""

    track: int
    box: Box
    """What was cut out, margin included; may reach over the picture's edge (padded)."""
    pixels: npt.NDArray[np.uint8]
    """(height, width) luma or (height, width, 3) RGB, as the classifier's manifest says."""


@dataclass(frozen=True, slots=True)
class Result:
    """What one classifier says about one crop."""

    track: int
    model: str
    scores: Mapping[str, float]
    """Label to probability, in the order of the model's labels."""

    @property
    def label(self) -> str:
        """The label with the highest score."""
        return max(self.scores, key=self.scores.__getitem__)


@dataclass(frozen=True, slots=True)
class Face:
    """A region with what the classifiers said of it."""

    track: int
    box: Box
    score: float
    labels: Mapping[str, Mapping[str, float]]
    """Model name to (label to score)."""
    identity: Identity | None = None
    """Who it is; None where nobody is to be recognized."""


class Percentiles(NamedTuple):
    """Of a sliding window, milliseconds."""

    p50: float
    p95: float
    p99: float


class Durations(NamedTuple):
    """All durations since the start, counted by length as a Prometheus histogram has them."""

    counts: tuple[int, ...]
    """How many fell into each bucket of ``DURATION_BOUNDS_MS``, the last: longer than all."""
    sum_ms: float


DURATION_BOUNDS_MS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)
"""Longest durations of the buckets: a tracker's part of a frame to a camera that is far away."""


@dataclass(frozen=True, slots=True)
class Rates:
    """How frames flow. Per second over a sliding window, None before two frames came."""

    captured_fps: float | None
    processed_fps: float | None
    dropped_fps: float | None
    captured: int
    """Totals since the start."""
    processed: int
    dropped: int
    """Captured, but a newer frame came before anyone had time for it."""


CameraState = Literal["opening", "streaming", "lost", "ended"]


@dataclass(frozen=True, slots=True)
class Camera:
    """The source of frames, as it stands."""

    uri: str
    description: str
    """In words, such as ``Pi camera imx708, 1536x864 at 30 fps``; secrets in URIs are masked."""
    state: CameraState
    width: int | None
    height: int | None
    live: bool
    reopened: int
    """How often it was lost and came back."""
    problem: str | None = None
    """One sentence while the state is ``lost``, or why it ``ended`` too early."""


@dataclass(frozen=True, slots=True)
class ModelInUse:
    """A model the pipeline runs now."""

    name: str
    version: str
    kind: str
    sha256: str
    bytes: int
    backend: str

    def __str__(self) -> str:
        return f"{self.name} {self.version} ({self.backend})"


ModelFate = Literal["admitted", "activated", "canary", "rolled back", "refused", "removed"]


@dataclass(frozen=True, slots=True)
class ModelEvent:
    """Something that became of a model."""

    at: float
    """Seconds since 1970, as far as the clock was right."""
    what: ModelFate
    model: str
    """Name, or name and digits of its version; the file's name when it was refused."""
    sentence: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that is known after a frame: the only thing the pipeline publishes."""

    frame: int
    taken_at: float
    width: int
    height: int
    faces: tuple[Face, ...]
    motion: float
    """Share of the view that changed since the last frame, 0 to 1."""
    detected: bool
    """False when the detector rested: nothing moved and nobody was tracked, or the allowance."""
    stage_ms: Mapping[str, float]
    """This frame's own time by stage."""
    latency: Mapping[str, Percentiles]
    """Stage to percentiles over the window; refreshed a few times a second."""
    rates: Rates
    inferences: int
    """Model runs since the start."""
    frames_with_face: int
    models: tuple[ModelInUse, ...]
    looks: tuple[Look, ...] = ()
    """Where the detector looked in this frame; empty when it rested."""
    durations: Mapping[str, Durations] = field(default_factory=dict)
    """Stage to all its durations since the start; refreshed with ``latency``."""
    possible_faces: tuple[Box, ...] = ()
    """Where else a face may be: just lost, seen once, faint. Pictures for people hide these too."""


@dataclass(frozen=True, slots=True)
class Throttling:
    """The firmware's alarms, each now and at any time since boot. None: the board cannot tell."""

    under_voltage: bool | None
    frequency_capped: bool | None
    throttled: bool | None
    soft_temperature_limit: bool | None
    under_voltage_since_boot: bool | None
    frequency_capped_since_boot: bool | None
    throttled_since_boot: bool | None
    soft_temperature_limit_since_boot: bool | None


@dataclass(frozen=True, slots=True)
class Power:
    """Power drawn, and how far to believe it."""

    watts: float
    plus_minus: float
    """Half-width of the error, watts."""
    source: str
    """Who says so: ``INA219 at 0x40``, ``PMIC of a Pi 5``, ``model of a Pi 4B``, ``RAPL``."""
    scope: Literal["soc", "board", "wall"]


@dataclass(frozen=True, slots=True)
class Health:
    """How the machine is. Every unknown is None."""

    read_at: float
    board: str
    """``Raspberry Pi 4 Model B Rev 1.2``, or the machine's own product name."""
    uptime_s: float
    """Of this process."""
    cpu_percent: float | None
    """Of this process; 100 is one core."""
    system_cpu_percent: float | None
    """Of all cores together; 100 is all of them busy."""
    memory_mb: float | None
    """Resident memory of this process, MiB."""
    peak_memory_mb: float | None
    memory_available_mb: float | None
    """Of the whole machine."""
    temperature_c: float | None
    throttling: Throttling | None
    power: Power | None
    energy_per_frame_mj: float | None
    """Power over processed frame rate: the whole scope's energy, not only ours."""
    energy_per_inference_mj: float | None
    cpu_frequency_mhz: float | None = None
    """The first core's clock now."""
    cma_free_mb: float | None = None
    """Contiguous memory left, from which cameras take their buffers."""
    temperature_limit_c: float | None = None
    """Where firmware or kernel begin to slow the processor down."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """How much work may be done now. The default gives nothing up."""

    looks: int | None = None
    """Most detector calls per frame; None: as configured."""
    detect_every: int = 1
    """1: the detector may run on every frame."""
    fps: float | None = None
    """Most frames per second taken from a camera; None: all."""
    reasons: tuple[str, ...] = ()
    """Sentences: what was given up and why; empty: nothing."""
    level: int = 0
    """0: nothing was given up; more saves more."""


JsonObject = dict[str, Any]
