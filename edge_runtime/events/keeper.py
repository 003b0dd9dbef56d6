"""Decides when one rule fires: debounce, quiet hours, and what must last first. No waiting here."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator
from typing import Final

from edge_runtime.event import Event
from edge_runtime.events.rule import Rule

MOST_LASTING: Final = 256
"""Of what a rule watches whether it lasts: a crowd does not fill the memory."""


class Keeper:
    """Is told every event in order and asked, when time has passed, what fires now."""

    def __init__(self, rule: Rule, *, time_of_day: Callable[[], datetime.time]) -> None:
        self.rule = rule
        self.held_back = 0
        """Times it would have fired but for debounce or quiet hours."""
        self._time_of_day = time_of_day
        self._rests_until = float("-inf")
        self._lasting: list[Event] = []

    @property
    def due_at(self) -> float | None:
        """Monotonic seconds at which ``due`` may have something; None: not before an event."""
        if not self._lasting or self.rule.for_s is None:
            return None
        return self._lasting[0].moment + self.rule.for_s

    def hear(self, event: Event) -> Event | None:
        """What fires at once because of ``event``: that event, or nothing."""
        if self._lasting:
            self._lasting = [each for each in self._lasting if not event.ends(each)]
        if not self.rule.fits(event):
            return None
        if self.rule.for_s is not None:
            if len(self._lasting) < MOST_LASTING:
                self._lasting.append(event)
            return None
        return event if self._may_fire(event.moment) else None

    def due(self, now: float) -> Iterator[Event]:
        """What has lasted long enough and fires now."""
        while (at := self.due_at) is not None and at <= now:
            event = self._lasting.pop(0)
            if self._may_fire(now):
                yield event

    def _may_fire(self, now: float) -> bool:
        if now < self._rests_until or self.rule.is_quiet(self._time_of_day()):
            self.held_back += 1
            return False
        self._rests_until = now + self.rule.debounce_s
        return True
