"""What can be set: one class per TOML table, units in the names, defaults that suit a Pi 3B+.

Every key is described for users in ``docs/configuration.md``; a test holds the two together.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import Field, Strict, model_validator
from pydantic.fields import FieldInfo

from edge_runtime.config.rule import MOST_RULES, RuleTable
from edge_runtime.config.table import (
    FolderPath,
    Folders,
    Hours,
    NamedTable,
    Names,
    Seconds,
    Share,
    Table,
    Text,
)

TurnText = Annotated[str, Field(pattern=r"^[^@]+(@[1-9][0-9]{0,3})?$")]
Turns = Annotated[tuple[TurnText, ...], Strict(False)]
Looks = Annotated[int, Field(ge=1, le=999)]
BUDGET = r"^([1-9][0-9]{0,2}|[0-9]{1,4}(\.[0-9]{1,3})? ?ms|full)$"
Origin = Annotated[str, Field(pattern=r"^https?://[^/?#\s*]+$")]

MOST_CAMERAS: Final = 8
"""One thread looks at all of them, so more would only take frames from each other."""

ONLY_CAMERA: Final = "camera"
"""The name of a camera that was given none."""


class SourceTable(Table):
    """Where pictures come from."""

    uri: Text = "auto"
    """``auto``, or a URI such as ``picamera://0``, ``v4l2:///dev/video0``, ``rtsp://…``."""


class CameraTable(NamedTable):
    """One of several cameras, each written as ``[[camera]]``.

    The page, the API and the metrics call it by its name.
    """

    uri: Text
    """As ``source.uri``."""


class DetectorTable(Table):
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


class ClassifyTable(Table):
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


class ModelsTable(Table):
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


class EngineTable(Table):
    """How models run."""

    threads: Annotated[int, Field(ge=1, le=64)] | None = None
    """Of each interpreter; None: what ``tune`` found fastest on this board, else 1."""
    backend: Literal["auto", "litert", "tflite_runtime", "fake"] = "auto"


class WebTable(Table):
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
    require_token: bool = False
    """Ask for a token on loopback too, where other users of this machine could come in."""
    tls_cert: FolderPath | None = None
    """PEM file of the certificate, and of those above it; None: no encryption."""
    tls_key: FolderPath | None = None
    """PEM file of its key, without a passphrase."""
    cors_origins: Annotated[tuple[Origin, ...], Strict(False)] = ()
    """Other sites whose pages may ask for things, with a token."""
    trusted_proxies: Names = ()
    """Addresses whose X-Forwarded-For and X-Forwarded-Proto are believed."""
    graceful_shutdown_s: Annotated[float, Field(ge=0, le=60)] = 1.0

    @model_validator(mode="after")
    def _certificate_with_key(self) -> Self:
        if (self.tls_cert is None) != (self.tls_key is None):
            raise ValueError("web.tls_cert and web.tls_key together, or neither")
        return self


class TelemetryTable(Table):
    """How often heat, power and load are read."""

    # Reading a Pi's power chip at 50 Hz is known to slow the work it measures about sixfold.
    interval_s: Annotated[float, Field(ge=0.5, le=3600)] = 1.0


class GovernorTable(Table):
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


class EventsTable(Table):
    """What counts as an event, and how many are kept."""

    keep: Annotated[int, Field(ge=10, le=100_000)] = 1000
    """In memory; a thousand take about a megabyte."""
    came_after_s: Annotated[float, Field(ge=0, le=60)] = 0.3
    """A face that was there for so long has come."""
    left_after_s: Annotated[float, Field(ge=0.5, le=3600)] = 2.0
    """Out of sight for so long, it has left."""
    stayed_after_s: Seconds = 10.0
    label_hold_s: Annotated[float, Field(ge=0, le=60)] = 1.0
    """A label must hold for so long."""


class PeopleTable(Table):
    """Whose faces these are; docs/known-faces.md."""

    enabled: bool = False
    """Off by default: whoever switches it on has asked the people it will recognize."""
    points: Text = "face-points"
    """Model that finds eyes, nose and mouth."""
    model: Text = "face-id"
    """Model that makes the vectors which are compared."""
    false_accepts: Annotated[float, Field(ge=1e-6, le=0.1)] = 0.001
    """Share of strangers who may get a name."""
    key_file: FolderPath | None = None
    """Seals the templates, where the service has no credential for it."""
    unknown_after_s: Seconds = 10.0
    """Somebody unknown who stays for so long is an event of its own."""


class LogTable(Table):
    """What is said to the journal."""

    level: Literal["debug", "info", "warning", "error"] = "info"


class CaptureTable(Table):
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
                f"capture.first_retry_s of at most capture.longest_retry_s, "
                f"but {self.first_retry_s:g} > {self.longest_retry_s:g}"
            )
        return self


class Config(Table):
    """Everything that can be set."""

    state_dir: FolderPath = Path("/var/lib/edge-runtime")
    """What must outlive a restart: the page's tokens, which model is active."""
    source: SourceTable = SourceTable()
    detector: DetectorTable = DetectorTable()
    classify: ClassifyTable = ClassifyTable()
    models: ModelsTable = ModelsTable()
    engine: EngineTable = EngineTable()
    web: WebTable = WebTable()
    telemetry: TelemetryTable = TelemetryTable()
    governor: GovernorTable = GovernorTable()
    events: EventsTable = EventsTable()
    people: PeopleTable = PeopleTable()
    log: LogTable = LogTable()
    capture: CaptureTable = CaptureTable()
    camera: Annotated[tuple[CameraTable, ...], Field(max_length=MOST_CAMERAS), Strict(False)] = ()
    """As written in the file; ``cameras`` is what runs."""
    rule: Annotated[tuple[RuleTable, ...], Field(max_length=MOST_RULES), Strict(False)] = ()

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
RULE: Final = "rule"
LISTS: Final = (CAMERA, RULE)
"""The arrays of tables. They have no dotted keys, so only a file can hold them."""


def _tables() -> dict[str, type[Table]]:
    kinds = {name: field.annotation for name, field in Config.model_fields.items()}
    return {
        name: kind
        for name, kind in kinds.items()
        if isinstance(kind, type) and issubclass(kind, Table)
    }


def _keys() -> dict[str, FieldInfo]:
    keys = {
        name: field
        for name, field in Config.model_fields.items()
        if name not in TABLES and name not in LISTS
    }
    for name, table in TABLES.items():
        keys |= {f"{name}.{key}": field for key, field in table.model_fields.items()}
    return keys


TABLES = _tables()
"""Table name to its class."""

KEYS = _keys()
"""Dotted key to its field, in the order of the classes above."""
