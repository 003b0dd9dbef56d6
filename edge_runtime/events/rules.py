"""All rules: one thread reads the events and decides, each rule's own thread does."""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from edge_runtime.events.action import Action, Firing
from edge_runtime.events.keeper import Keeper, StillThere
from edge_runtime.events.log import EventLog
from edge_runtime.events.rule import Rule
from edge_runtime.events.runner import Runner, Sleeper, Tally
from edge_runtime.quiet_hours import local_time
from edge_runtime.types import Clock


class RuleState(NamedTuple):
    """A rule as it stands."""

    rule: Rule
    does: str
    held_back: int
    tally: Tally


class Rules:
    """``watch`` is the work of one thread, each runner's ``work`` that of another."""

    def __init__(
        self,
        rules: Sequence[tuple[Rule, Action]],
        events: EventLog,
        *,
        clock: Clock = time.monotonic,
        time_of_day: Callable[[], datetime.time] = local_time,
        still_there: StillThere = lambda event, since: True,
    ) -> None:
        self._events, self._clock = events, clock
        self._time_of_day, self._still_there = time_of_day, still_there
        self._kept = [self._made(*each) for each in rules]
        self._read = events.newest

    @property
    def runners(self) -> tuple[Runner, ...]:
        return tuple(runner for _, runner in self._kept)

    def follow(self, rules: Sequence[tuple[Rule, Action]]) -> None:
        """Other rules from the next look on; those whose action stays go on where they were.

        Whoever calls starts the new runners and ends those that are gone.
        """
        kept = {id(pair[1].action): pair for pair in self._kept}
        if not kept:  # nobody has read what happened before there were rules
            self._read = self._events.newest
        self._kept = [kept.get(id(action)) or self._made(rule, action) for rule, action in rules]

    def states(self) -> tuple[RuleState, ...]:
        """In the order of the settings."""
        return tuple(
            RuleState(keeper.rule, runner.action.description, keeper.held_back, runner.tally())
            for keeper, runner in self._kept
        )

    def watch(self, worker: Sleeper) -> None:
        """Until the log is closed; what was told before is still looked at."""
        while True:
            closed = self._events.closed
            self.look()
            if closed or worker.stopping:
                return
            self._events.wait(self._read, self._rest_s())

    def look(self) -> None:
        """Once: all events that are new, and all that has lasted long enough."""
        for event in self._events.after(self._read):
            self._read = event.id
            self._fire_due(event.moment)  # in the order in which it all happened
            for keeper, runner in self._kept:
                if (fired := keeper.hear(event)) is not None:
                    runner.offer(Firing(runner.rule, fired))
        self._fire_due(self._clock())

    def _made(self, rule: Rule, action: Action) -> tuple[Keeper, Runner]:
        return (
            Keeper(rule, time_of_day=self._time_of_day, still_there=self._still_there),
            Runner(rule.name, action, self._events),
        )

    def _fire_due(self, now: float) -> None:
        for keeper, runner in self._kept:
            for event in keeper.due(now):
                runner.offer(Firing(runner.rule, event))

    def _rest_s(self) -> float | None:
        dues = [due for keeper, _ in self._kept if (due := keeper.due_at) is not None]
        return max(0.0, min(dues) - self._clock()) if dues else None
