"""Decides when one rule fires: debounce, quiet hours, and what must last first. No waiting here."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator
from typing import Final

from edge_runtime.event import Event
from edge_runtime.events.rule import Rule

MOST_LASTING: Final = 256
"""Of what a rule watches whether it lasts: a crowd does not fill the memory."""

LOOK_AGAIN_S: Final = 0.1
"""A face that is out of sight just when its time has come is looked for so often, until it has
left."""

StillThere = Callable[[Event, float], bool]
"""Whether what an event is about was there at a moment (monotonic seconds) or later."""


class Keeper:
    """Is told every event in order and asked, when time has passed, what fires now."""

    def __init__(
        self,
        rule: Rule,
        *,
        time_of_day: Callable[[], datetime.time],
        still_there: StillThere = lambda event, since: True,
    ) -> None:
        self.rule = rule
        self.held_back = 0
        """Times it would have fired but for debounce or quiet hours."""
        self._time_of_day, self._still_there = time_of_day, still_there
        self._rests_until = self._looks_again_at = float("-inf")
        self._lasting: list[Event] = []

    @property
    def due_at(self) -> float | None:
        """Monotonic seconds at which ``due`` may have something; None: not before an event."""
        if not self._lasting:
            return None
        return max(self._ripe_at(self._lasting[0]), self._looks_again_at)

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
        if (due_at := self.due_at) is None or now < due_at:
            return
        for event in [each for each in self._lasting if self._ripe_at(each) <= now]:
            if not self._still_there(event, self._ripe_at(event)):
                self._looks_again_at = now + LOOK_AGAIN_S
                continue
            self._lasting.remove(event)
            if self._may_fire(now):
                yield event

    def _ripe_at(self, event: Event) -> float:
        return event.moment + (self.rule.for_s or 0.0)

    def _may_fire(self, now: float) -> bool:
        if now < self._rests_until or self.rule.is_quiet(self._time_of_day()):
            self.held_back += 1
            return False
        self._rests_until = now + self.rule.debounce_s
        return True
