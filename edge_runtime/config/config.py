"""What can be set: one class per TOML table, units in the names, defaults that suit a Pi 3B+.

Every key is described for users in ``docs/configuration.md``; a test holds the two together.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, Strict, model_validator
from pydantic.fields import FieldInfo

# TOML and flags say text and lists where Python wants paths and tuples; all else must fit exactly.
FolderPath = Annotated[Path, Strict(False)]
Names = Annotated[tuple[str, ...], Strict(False)]
Folders = Annotated[tuple[FolderPath, ...], Strict(False)]

Text = Annotated[str, Field(min_length=1)]
TurnText = Annotated[str, Field(pattern=r"^[^@]+(@[1-9][0-9]{0,3})?$")]
Turns = Annotated[tuple[TurnText, ...], Strict(False)]
Looks = Annotated[int, Field(ge=1, le=999)]
BUDGET = r"^([1-9][0-9]{0,2}|[0-9]{1,4}(\.[0-9]{1,3})? ?ms|full)$"
Slug = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,23}$")]
Share = Annotated[float, Field(ge=0, le=1)]
Seconds = Annotated[float, Field(gt=0, le=3600)]


def _two_times(text: str) -> str:
    clock = r"([01][0-9]|2[0-3]):[0-5][0-9]"
    begins, _, ends = text.partition("-")
    if not (re.fullmatch(clock, begins) and re.fullmatch(clock, ends)) or begins == ends:
        raise ValueError("two different times of day such as '22:00-07:00'")
    return text


Hours = Annotated[str, AfterValidator(_two_times)]
MOST_CAMERAS: Final = 8
"""One thread looks at all of them, so more would only take frames from each other."""

ONLY_CAMERA: Final = "camera"
"""The name of a camera that was given none."""


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class SourceTable(_Table):
    """Where pictures come from."""

    uri: Text = "auto"
    """``auto``, or a URI such as ``picamera://0``, ``v4l2:///dev/video0``, ``rtsp://…``."""


class CameraTable(_Table):
    """One of several cameras, each written as ``[[camera]]``."""

    name: Slug
    """What the page, the API and the metrics call it."""
    uri: Text
    """As ``source.uri``."""


class DetectorTable(_Table):
    """How faces are found."""

    model: Text = "face-glance"
    threshold: Share | None = None
    """Lowest score of a face; None takes the manifest's."""
    idle_interval_s: Seconds = 1.0
    """How often to look while nothing moves and nobody is tracked."""
    motion_threshold: Share = 0.004
    """The share of the view that must change to count as motion."""
    budget: Looks | Annotated[str, Field(pattern=BUDGET)] = 2
    """Looks at one frame: a number, milliseconds (``8ms``), or ``full`` for the whole pyramid."""
    smallest_face: Annotated[float, Field(ge=0.005, le=1)] = 0.02
    """Share of the picture's longer side: how far closer looks go."""
    unseen_s: Seconds = 10.0
    """No part of the picture is left without a closer look for longer, if the budget allows."""


class ClassifyTable(_Table):
    """What is said about each face."""

    models: Turns = ("smile",)
    """``name``, or ``name@5`` for one that is asked about a face in every fifth frame."""
    every_n_frames: Annotated[int, Field(ge=1, le=1000)] = 10
    """1 classifies each face in every frame; more spreads the work. For models without @."""

    @property
    def turns(self) -> dict[str, int]:
        """By model, from how many frames each face is shown to it in one."""
        parted = (text.partition("@") for text in self.models)
        return {name: int(every or self.every_n_frames) for name, _, every in parted}


class ModelsTable(_Table):
    """Where models lie, besides those that are shipped, and what becomes of dropped ones."""

    dirs: Folders = ()
    """Folders that hold one folder per model; looked through first to last."""
    dir: FolderPath | None = None
    """Where models are dropped and kept; None: ``models`` in ``state_dir``."""
    watch: bool = True
    """Take in what is dropped there while running."""
    auto_activate: bool = True
    """Let a dropped model do its work at once; otherwise it waits for a command."""
    canary_crops: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    """Crops on which a new classifier is first compared with the old one; 0: it takes over."""
    canary_s: Seconds = 60.0
    """The comparison ends after this time at the latest."""
    latency_budget_ms: Annotated[float, Field(gt=0, le=60_000)] | None = None
    """What a stage may take in a new model's first minute; None: three times what it took."""
    keep_versions: Annotated[int, Field(ge=1, le=100)] = 3
    """Of each model, besides those in use and the ones before them."""
    largest_mb: Annotated[int, Field(ge=1, le=1024)] = 64
    """MiB of a dropped or uploaded file."""
    trusted_keys: Names = ()
    """Public keys; when there are any, models without a signature of one are refused."""


class EngineTable(_Table):
    """How models run."""

    threads: Annotated[int, Field(ge=1, le=64)] | None = None
    """Of each interpreter; None: what ``tune`` found fastest on this board, else 1."""
    backend: Literal["auto", "litert", "tflite_runtime", "fake"] = "auto"


class WebTable(_Table):
    """The page."""

    enabled: bool = True
    host: Text = "127.0.0.1"
    """Any address that is not this machine's own loopback needs a token."""
    port: Annotated[int, Field(ge=0, le=65535)] = 8000
    """0 takes any free port."""
    pixelate: bool = True
    """Make faces unrecognizable in every picture that leaves the machine."""
    max_viewers: Annotated[int, Field(ge=1, le=64)] = 8
    preview_fps: Annotated[float, Field(gt=0, le=60)] = 10.0
    preview_quality: Annotated[int, Field(ge=1, le=100)] = 75
    """JPEG quality."""
    allowed_hosts: Names = ()
    """Names, besides the machine's own, that a browser may call it by."""
    graceful_shutdown_s: Annotated[float, Field(ge=0, le=60)] = 1.0


class TelemetryTable(_Table):
    """How often heat, power and load are read."""

    # Reading a Pi's power chip at 50 Hz is known to slow the work it measures about sixfold.
    interval_s: Annotated[float, Field(ge=0.5, le=3600)] = 1.0


class GovernorTable(_Table):
    """What must not be exceeded; None: no limit."""

    enabled: bool = True
    """Give work up where a limit would be exceeded."""
    max_temperature_c: Annotated[float, Field(ge=40, le=85)] = 75.0
    """Raspberry Pis slow themselves down from 80 on."""
    max_power_w: Annotated[float, Field(gt=0, le=1000)] | None = None
    target_fps: Annotated[float, Field(gt=0, le=240)] | None = None
    """Processed frames per second that are wanted while others are dropped."""
    max_latency_ms: Annotated[float, Field(gt=0, le=60_000)] | None = None
    """Of a frame's processing, 95 of 100."""
    quiet_hours: Hours | None = None
    """Such as ``22:00-07:00``, by the clock on the wall: as little work as possible."""


class LogTable(_Table):
    """What is said to the journal."""

    level: Literal["debug", "info", "warning", "error"] = "info"


class CaptureTable(_Table):
    """How patient to be with a camera."""

    first_retry_s: Seconds = 0.5
    longest_retry_s: Seconds = 10.0
    stall_timeout_s: Seconds = 5.0
    """A camera that delivers nothing for this long counts as lost."""
    wait_at_start: bool = False
    """Keep trying a camera that cannot be opened at the start; else the run ends."""

    @model_validator(mode="after")
    def _delays_grow(self) -> Self:
        if self.first_retry_s > self.longest_retry_s:
            raise ValueError(
                f"first_retry_s of at most longest_retry_s, "
                f"but {self.first_retry_s:g} > {self.longest_retry_s:g}"
            )
        return self


class Config(_Table):
    """Everything that can be set."""

    state_dir: FolderPath = Path("/var/lib/edge-runtime")
    """What must outlive a restart: the page's token, which model is active."""
    source: SourceTable = SourceTable()
    detector: DetectorTable = DetectorTable()
    classify: ClassifyTable = ClassifyTable()
    models: ModelsTable = ModelsTable()
    engine: EngineTable = EngineTable()
    web: WebTable = WebTable()
    telemetry: TelemetryTable = TelemetryTable()
    governor: GovernorTable = GovernorTable()
    log: LogTable = LogTable()
    capture: CaptureTable = CaptureTable()
    camera: Annotated[tuple[CameraTable, ...], Field(max_length=MOST_CAMERAS), Strict(False)] = ()
    """As written in the file; ``cameras`` is what runs."""

    @property
    def cameras(self) -> tuple[CameraTable, ...]:
        """Every camera to run: those of ``[[camera]]``, else the one of ``source.uri``."""
        return self.camera or (CameraTable(name=ONLY_CAMERA, uri=self.source.uri),)

    def value(self, key: str) -> object:
        """The value of a dotted key such as ``web.port``."""
        found: object = self
        for name in key.split("."):
            found = getattr(found, name)
        return found


CAMERA: Final = "camera"
"""The one array of tables. It has no dotted keys, so only a file can hold it."""


def _tables() -> dict[str, type[_Table]]:
    kinds = {name: field.annotation for name, field in Config.model_fields.items()}
    return {
        name: kind
        for name, kind in kinds.items()
        if isinstance(kind, type) and issubclass(kind, _Table)
    }


def _keys() -> dict[str, FieldInfo]:
    keys = {
        name: field
        for name, field in Config.model_fields.items()
        if name not in TABLES and name != CAMERA
    }
    for name, table in TABLES.items():
        keys |= {f"{name}.{key}": field for key, field in table.model_fields.items()}
    return keys


TABLES = _tables()
"""Table name to its class."""

KEYS = _keys()
"""Dotted key to its field, in the order of the classes above."""
