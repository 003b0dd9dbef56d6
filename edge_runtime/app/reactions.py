"""The rules of the settings, with what they do opened, and the threads that do it."""

from __future__ import annotations

import datetime
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final, NamedTuple

from edge_runtime.closeable import Closeable
from edge_runtime.config import Config
from edge_runtime.config.rule import CommandTable, GpioTable, RuleTable, WebhookTable
from edge_runtime.errors import EdgeRuntimeError
from edge_runtime.events.action import Action
from edge_runtime.events.command import CommandAction
from edge_runtime.events.gpio import GpioAction, Pins
from edge_runtime.events.pace import Pace
from edge_runtime.events.rule import Rule
from edge_runtime.events.rules import Rules
from edge_runtime.events.runner import Runner
from edge_runtime.events.watcher import Watcher
from edge_runtime.events.webhook import WebhookAction
from edge_runtime.quiet_hours import QuietHours, local_time
from edge_runtime.service.worker import Worker
from edge_runtime.types import Clock

log = logging.getLogger(__name__)

GRACE_S: Final = 0.5
"""How long what was still to be done may delay the end of the program."""


class Opened(NamedTuple):
    """A rule of the settings, with what it does opened."""

    table: RuleTable
    action: Action


class Reactions(Closeable):
    """Opened before the cameras, so that a rule that cannot work is known at once.

    Raises ActionUnavailable or LibraryMissing, with the rule's name.
    """

    def __init__(
        self,
        config: Config,
        watcher: Watcher,
        *,
        clock: Clock = time.monotonic,
        time_of_day: Callable[[], datetime.time] = local_time,
    ) -> None:
        self._events = watcher.log
        self._watched = False
        self._watching: Worker | None = None
        self._acting: dict[Runner, Worker] = {}
        self._pins = Pins()
        self._in_force: list[Opened] = []
        self._in_force = self._open(config)
        self.rules = Rules(
            _pairs(self._in_force),
            watcher.log,
            clock=clock,
            time_of_day=time_of_day,
            still_there=watcher.still_there,
        )

    def start(self) -> None:
        """Begin to watch; without rules there is nothing to do and no thread."""
        self._watched = True
        self.start_acting()

    def start_acting(self) -> None:
        """The threads of the rules alone: whoever calls watches, with ``rules.look``."""
        for runner in self.rules.runners:
            if runner not in self._acting:
                log.info("rule %s: %s", runner.rule, runner.action.description)
                self._acting[runner] = Worker(f"rule-{runner.rule}", runner.work).start()
        if self._watched and self._acting and self._watching is None:
            self._watching = Worker("rules", self.rules.watch).start()

    @contextmanager
    def prepared(self, config: Config) -> Iterator[Callable[[], None]]:
        """Open the rules of other settings; what this gives, called, lets them be in force.

        Left without that call, nothing has changed. A rule that says the same as before goes on
        where it was, with its pauses and its counts.
        """
        opened = self._open(config)
        try:
            yield lambda: self._follow(opened)
        finally:
            self._give_back(opened)

    def close(self) -> None:
        """What happened before is still done, if it does not take long."""
        self._events.close()
        if self._watching is not None:
            self._watching.stop()
        self._end(tuple(self._acting))
        before, self._in_force = self._in_force, []
        self._give_back(before)

    def _open(self, config: Config) -> list[Opened]:
        opened: list[Opened] = []
        try:
            for table in config.rule:
                same = (each for each in self._in_force if each.table == table)
                opened.append(next(same, None) or Opened(table, open_action(table, self._pins)))
        except EdgeRuntimeError:
            self._give_back(opened)
            raise
        return opened

    def _follow(self, opened: list[Opened]) -> None:
        before, self._in_force = self._in_force, opened
        self.rules.follow(_pairs(opened))
        self.start_acting()
        kept = self.rules.runners
        self._end([runner for runner in self._acting if runner not in kept])
        self._give_back(before)

    def _give_back(self, opened: Sequence[Opened]) -> None:
        """Close what is not in force, and the pins that nothing in force switches."""
        for each in opened:
            if each not in self._in_force:
                each.action.close()
        then = [each.table.then for each in self._in_force]
        self._pins.keep_only({each.gpio for each in then if isinstance(each, GpioTable)})

    def _end(self, runners: Sequence[Runner]) -> None:
        for runner in runners:
            runner.finish()
        gives_up_at = time.monotonic() + GRACE_S
        for runner in runners:
            runner.end(max(0.0, gives_up_at - time.monotonic()))
        for runner in runners:
            self._acting.pop(runner).stop()


def _pairs(opened: Sequence[Opened]) -> list[tuple[Rule, Action]]:
    return [(rule_of(each.table), each.action) for each in opened]


def pace_of(config: Config) -> Pace:
    """How long something must last before it counts."""
    return Pace(
        came_after_s=config.events.came_after_s,
        left_after_s=config.events.left_after_s,
        stayed_after_s=config.events.stayed_after_s,
        label_hold_s=config.events.label_hold_s,
        unknown_after_s=config.people.unknown_after_s,
    )


def rule_of(table: RuleTable) -> Rule:
    """What the settings say of when a rule fires."""
    hours = table.quiet_hours
    return Rule(
        table.name,
        table.when,
        camera=table.camera,
        model=table.model,
        label=table.label,
        person=table.person,
        min_score=table.min_score,
        for_s=table.for_s,
        debounce_s=table.debounce_s,
        quiet_hours=None if hours is None else QuietHours.parsed(hours),
    )


def open_action(table: RuleTable, pins: Pins) -> Action:
    """What the settings say of what a rule does, ready to be done."""
    try:
        return _opened(table, pins)
    except EdgeRuntimeError as error:
        raise type(error)(f"rule {table.name}: {error}") from error


def _opened(table: RuleTable, pins: Pins) -> Action:
    then = table.then
    if isinstance(then, WebhookTable):
        return WebhookAction(
            then.webhook,
            headers_file=then.headers_file,
            ca_file=then.ca_file,
            timeout_s=then.timeout_s,
            tries=then.tries,
        )
    if isinstance(then, CommandTable):
        return CommandAction(then.command, timeout_s=then.timeout_s)
    return GpioAction(pins.pin(then.gpio, active_high=then.active_high), pulse_s=then.pulse_s)
