"""The contract of what a rule does, and what it is given to do it with."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

from edge_runtime.closeable import Closeable
from edge_runtime.event import Event
from edge_runtime.types import JsonObject

Wait = Callable[[float], bool]
"""Sleeps so many seconds; True as soon as the sleeper is to stop."""


@dataclass(frozen=True, slots=True)
class Firing:
    """One rule about one event."""

    rule: str
    event: Event
    test: bool = False
    """Fired by hand, to try the rule."""

    def as_json(self) -> JsonObject:
        """The documented object that webhooks and commands get."""
        return {"rule": self.rule, "test": self.test} | self.event.as_json()


class Action(Closeable):
    """Something to do about an event, opened when the program starts.

    One thread calls ``run``; ``cancel`` may be called by any other.
    """

    @property
    @abstractmethod
    def description(self) -> str:
        """In words, without secrets: ``POST to https://example.org/***``."""

    @abstractmethod
    def run(self, firing: Firing, wait: Wait) -> None:
        """Do it and return when it is done. Raises ActionFailed with one sentence.

        Every pause is a ``wait``, so that the program can stop; nothing else takes longer than the
        action's own timeout.
        """

    def cancel(self) -> None:
        """The rule ends: let a ``run`` under way end soon, and those to come at once."""

    def close(self) -> None:
        """Give back what was opened."""
