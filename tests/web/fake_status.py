"""A program to show: its state is what the test says, its pictures are real arrays."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from edge_runtime.events.log import EventLog
from edge_runtime.events.rules import RuleState
from edge_runtime.imaging import whole_pixels
from edge_runtime.telemetry.history import History
from edge_runtime.types import (
    DURATION_BOUNDS_MS,
    Allowance,
    Bgr,
    Box,
    Camera,
    Durations,
    Face,
    Frame,
    Health,
    Look,
    Luma,
    ModelFate,
    ModelInUse,
    Percentiles,
    Power,
    Rates,
    Snapshot,
    Throttling,
)

QUIET = Throttling(False, False, False, False, True, False, False, False)

HEALTH = Health(
    read_at=100.0,
    board="Raspberry Pi 4 Model B Rev 1.2",
    uptime_s=3725.4,
    cpu_percent=41.26,
    system_cpu_percent=18.0,
    memory_mb=96.53,
    peak_memory_mb=101.0,
    memory_available_mb=2750.0,
    temperature_c=54.2,
    throttling=QUIET,
    power=Power(watts=3.412, plus_minus=0.8, source="model of a Pi 4B", scope="board"),
    energy_per_frame_mj=114.5,
    energy_per_inference_mj=57.2,
    temperature_limit_c=80.0,
)

CAMERA = Camera(
    uri="picamera://0",
    description="Pi camera imx708, 640x480 at 30 fps",
    state="streaming",
    width=640,
    height=480,
    live=True,
    reopened=0,
)

LOST = replace(CAMERA, state="lost", problem="/dev/video0 delivered nothing for 5 s")

MODEL = ModelInUse("face-glance", "0.1.0", "face-detector", "ab" * 32, 43584, "litert")

LATENCY = {
    "glance": Percentiles(0.4, 0.6, 0.9),
    "detect": Percentiles(6.25, 7.1, 9.3),
    "track": Percentiles(0.1, 0.2, 0.3),
    "crop": Percentiles(0.3, 0.5, 0.6),
    "classify": Percentiles(2.4, 3.0, 3.9),
    "frame": Percentiles(9.4, 11.2, 14.8),
    "age": Percentiles(18.0, 24.0, 33.0),
}


def durations(milliseconds: float, count: int = 4477) -> Durations:
    """As if each had taken the same."""
    bucket = bisect_left(DURATION_BOUNDS_MS, milliseconds)
    counts = tuple(count * (each == bucket) for each in range(len(DURATION_BOUNDS_MS) + 1))
    return Durations(counts, count * milliseconds)


RATES = Rates(30.0, 29.84, 0.16, captured=4501, processed=4477, dropped=24)


def face(track: int, box: Box, labels: Mapping[str, Mapping[str, float]] | None = None) -> Face:
    return Face(track, box, 0.91, labels or {"smile": {"neutral": 0.07, "smile": 0.93}})


FACES = (face(3, Box(200.4, 120.2, 120.0, 160.0)), face(4, Box(400, 100, 90, 110)))


LOOKS = (Look(Box(0, 0, 640, 480), "glance"), Look(Box(160.4, 60, 320, 240), "tile"))


def snapshot(frame: int = 0, taken_at: float = 100.0, **more: Any) -> Snapshot:
    values: dict[str, Any] = {
        "width": 640,
        "height": 480,
        "faces": FACES,
        "motion": 0.0123,
        "detected": True,
        "looks": LOOKS,
        "stage_ms": {"detect": 6.0},
        "latency": LATENCY,
        "durations": {stage: durations(each.p50) for stage, each in LATENCY.items()},
        "rates": RATES,
        "inferences": 9000,
        "frames_with_face": 4000,
        "models": (MODEL,),
    }
    return Snapshot(frame=frame, taken_at=taken_at, **(values | more))


@dataclass
class ArrayPicture:
    pixels: Bgr
    width: int = 640
    height: int = 480

    def bgr(self, box: Box | None = None) -> Bgr:
        left, top, right, bottom = whole_pixels(
            box or Box(0, 0, self.width, self.height), self.width, self.height
        )
        return self.pixels[top:bottom, left:right]

    def luma(self, box: Box | None = None) -> Luma:
        return self.bgr(box)[:, :, 1]


def noise(width: int = 640, height: int = 480, seed: int = 0) -> Bgr:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def frame(index: int = 0, taken_at: float = 100.0, pixels: Bgr | None = None) -> Frame:
    pixels = noise(seed=index) if pixels is None else pixels
    picture = ArrayPicture(pixels, pixels.shape[1], pixels.shape[0])
    return Frame(index, taken_at, pixels[::4, ::4, 1], picture)


@dataclass
class FakeCamera:
    """A CameraSource that says what was put into it."""

    name: str
    last: Snapshot | None = field(default_factory=snapshot)
    where: Camera = CAMERA
    left: int = 0

    def skipped(self) -> int:
        return self.left

    def snapshot(self) -> Snapshot | None:
        return self.last

    def camera(self) -> Camera:
        return self.where


@dataclass
class FakeStatus:
    """A StatusSource that says what was put into it; ``last`` and ``where`` are the first's."""

    last: Snapshot | None = field(default_factory=snapshot)
    well: Health | None = HEALTH
    where: Camera = CAMERA
    said: tuple[str, ...] = ()
    fates: Mapping[ModelFate, int] = field(default_factory=dict)
    allowed: Allowance = field(default_factory=Allowance)
    left: int = 0
    name: str = "camera"
    others: tuple[FakeCamera, ...] = ()
    log: EventLog = field(default_factory=EventLog)
    ruled: tuple[RuleState, ...] = ()
    figures: History = field(default_factory=History)

    def cameras(self) -> tuple[FakeCamera, ...]:
        return (FakeCamera(self.name, self.last, self.where, self.left), *self.others)

    def health(self) -> Health | None:
        return self.well

    def allowance(self) -> Allowance:
        return self.allowed

    def warnings(self) -> tuple[str, ...]:
        return self.said

    def model_counts(self) -> Mapping[ModelFate, int]:
        return self.fates

    def events(self) -> EventLog:
        return self.log

    def rules(self) -> tuple[RuleState, ...]:
        return self.ruled

    def history(self) -> History:
        return self.figures


class FakeClock:
    """Stands still until told."""

    def __init__(self, now: float = 100.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now
