"""Something that happened: one noun for the list people see, for rules and for what rules send."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, Literal, get_args

from edge_runtime.types import JsonObject

EventKind = Literal[
    "face_came",
    "face_stayed",
    "face_left",
    "label_changed",
    "person_known",
    "person_turned",
    "person_unknown",
    "person_stayed_unknown",
    "person_left",
    "camera_lost",
    "camera_back",
    "camera_ended",
    "model_admitted",
    "model_activated",
    "model_canary",
    "model_rolled_back",
    "model_refused",
    "model_removed",
    "under_voltage",
    "under_voltage_over",
    "throttled",
    "throttled_over",
    "governor_gave_up",
    "governor_gave_back",
    "action_failed",
    "action_recovered",
]
"""docs/events.md says when each happens and with which fields."""

KINDS: Final[tuple[EventKind, ...]] = get_args(EventKind)

OF_CAMERA: Final[tuple[EventKind, ...]] = tuple(
    kind for kind in KINDS if kind.startswith(("face_", "label_", "person_", "camera_"))
)
"""Those that happen to one camera, whose name they carry."""

ENDED_BY: Final[Mapping[EventKind, tuple[EventKind, ...]]] = {
    "face_came": ("face_left",),
    "label_changed": ("label_changed", "face_left"),
    "person_known": ("person_known", "person_unknown", "person_left"),
    "person_unknown": ("person_known", "person_left"),
    "camera_lost": ("camera_back", "camera_ended"),
    "under_voltage": ("under_voltage_over",),
    "throttled": ("throttled_over",),
}
"""What begins something that lasts, and what ends it."""

_SAME: Final = ("model", "alarm")
"""Fields that tell apart what lasts side by side: one face's smile and its mask."""

Value = str | int | float | tuple[int, ...] | tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened."""

    id: int
    """Only grows, from one run to the next as well, as far as the clock was right."""
    at: float
    """Seconds since 1970, as far as the clock was right."""
    moment: float
    """The same in monotonic seconds."""
    kind: EventKind
    sentence: str
    camera: str | None = None
    track: int | None = None
    """The number a face had when it came."""
    fields: Mapping[str, Value] = field(default_factory=dict)
    """What else is known, by kind."""

    @property
    def time(self) -> str:
        """``at`` as RFC 3339 writes it, to the millisecond, UTC."""
        moment = datetime.fromtimestamp(self.at, UTC)
        return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def ends(self, other: Event) -> bool:
        """Whether what began with ``other`` is over now."""
        return (
            self.kind in ENDED_BY.get(other.kind, ())
            and (self.camera, self.track) == (other.camera, other.track)
            and all(
                self.fields[name] == other.fields[name]
                for name in _SAME
                if name in self.fields and name in other.fields
            )
        )

    def as_json(self) -> JsonObject:
        """The documented object, the same wherever an event is sent."""
        return {
            "id": self.id,
            "time": self.time,
            "kind": self.kind,
            "camera": self.camera,
            "track": self.track,
            "fields": {
                name: list(value) if isinstance(value, tuple) else value
                for name, value in self.fields.items()
            },
            "sentence": self.sentence,
        }
