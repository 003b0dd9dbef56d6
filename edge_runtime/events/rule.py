"""One rule: which events it is about, and when it keeps still."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from edge_runtime.event import Event, EventKind
from edge_runtime.quiet_hours import QuietHours


@dataclass(frozen=True, slots=True)
class Rule:
    """When one of ``when`` happens and every filter fits. A filter that is None fits all."""

    name: str
    when: tuple[EventKind, ...]
    camera: str | None = None
    model: str | None = None
    label: str | None = None
    person: str | None = None
    min_score: float | None = None
    for_s: float | None = None
    """Only when it still lasts after so many seconds."""
    debounce_s: float = 10.0
    """Not again for so long after it fired."""
    quiet_hours: QuietHours | None = None
    """Not at these times of day."""

    def fits(self, event: Event) -> bool:
        """Whether the rule is about this event."""
        if event.kind not in self.when or self.camera not in (None, event.camera):
            return False
        fields = event.fields
        if self.model not in (None, fields.get("model")):
            return False
        if self.label not in (None, fields.get("label")):
            return False
        if self.person not in (None, fields.get("person")):
            return False
        score = fields.get("score")
        return self.min_score is None or (isinstance(score, float) and score >= self.min_score)

    def is_quiet(self, time_of_day: datetime.time) -> bool:
        return self.quiet_hours is not None and time_of_day in self.quiet_hours
