"""What the web room asks of those who keep events, rules and figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from edge_runtime.event import Event, EventKind


class EventSource(Protocol):
    """Keeps the newest events. Each answer is at once there."""

    @property
    def newest(self) -> int:
        """The last event's id."""

    @property
    def oldest(self) -> int:
        """The id of the oldest that is kept."""

    def counts(self) -> Mapping[tuple[EventKind, str | None], int]:
        """How many of each kind and camera since the start; what never happened is missing."""

    def after(self, number: int) -> tuple[Event, ...]:
        """Those newer than ``number``, oldest first; all for a number from the future."""


class AboutRule(Protocol):
    """When a rule fires."""

    @property
    def name(self) -> str: ...

    @property
    def when(self) -> tuple[EventKind, ...]: ...


class RuleTally(Protocol):
    """How a rule has done so far."""

    @property
    def done(self) -> int: ...
    @property
    def failed(self) -> int: ...
    @property
    def dropped(self) -> int: ...
    @property
    def waiting(self) -> int: ...
    @property
    def problem(self) -> str | None: ...


class RuleStanding(Protocol):
    """A rule as it stands."""

    @property
    def rule(self) -> AboutRule: ...
    @property
    def does(self) -> str: ...
    @property
    def held_back(self) -> int: ...
    @property
    def tally(self) -> RuleTally: ...


Rules = Sequence[RuleStanding]
