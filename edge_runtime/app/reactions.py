"""The rules of the settings, with what they do opened, and the threads that do it."""

from __future__ import annotations

import datetime
import logging
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Final

from edge_runtime.closeable import Closeable
from edge_runtime.config import Config
from edge_runtime.config.rule import CommandTable, RuleTable, WebhookTable
from edge_runtime.errors import EdgeRuntimeError
from edge_runtime.events.action import Action
from edge_runtime.events.command import CommandAction
from edge_runtime.events.gpio import GpioAction, Pins
from edge_runtime.events.pace import Pace
from edge_runtime.events.rule import Rule
from edge_runtime.events.rules import Rules
from edge_runtime.events.watcher import Watcher
from edge_runtime.events.webhook import WebhookAction
from edge_runtime.quiet_hours import QuietHours, local_time
from edge_runtime.service.worker import Worker
from edge_runtime.types import Clock

log = logging.getLogger(__name__)

GRACE_S: Final = 0.5
"""How long what was still to be done may delay the end of the program."""


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
        self._watching: Worker | None = None
        self._acting: list[Worker] = []
        with ExitStack() as opened:
            pins = opened.enter_context(Pins())
            actions = [opened.enter_context(open_action(each, pins)) for each in config.rule]
            made = zip(map(rule_of, config.rule), actions, strict=True)
            self.rules = Rules(
                tuple(made),
                watcher.log,
                clock=clock,
                time_of_day=time_of_day,
                still_there=watcher.still_there,
            )
            self._opened = opened.pop_all()

    def start(self) -> None:
        """Begin to watch; without rules there is nothing to do and no thread."""
        self.start_acting()
        if self._acting:
            self._watching = Worker("rules", self.rules.watch).start()

    def start_acting(self) -> None:
        """The threads of the rules alone: whoever calls watches, with ``rules.look``."""
        for runner in self.rules.runners:
            log.info("rule %s: %s", runner.rule, runner.action.description)
            self._acting.append(Worker(f"rule-{runner.rule}", runner.work).start())

    def close(self) -> None:
        """What happened before is still done, if it does not take long."""
        self._events.close()
        if self._watching is not None:
            self._watching.stop()
        self._end_acting()
        self._opened.close()

    def _end_acting(self) -> None:
        runners = self.rules.runners if self._acting else ()
        for runner in runners:
            runner.finish()
        gives_up_at = time.monotonic() + GRACE_S
        for runner in runners:
            runner.end(max(0.0, gives_up_at - time.monotonic()))
        for worker in self._acting:
            worker.stop()
        self._acting = []


def pace_of(config: Config) -> Pace:
    """How long something must last before it counts."""
    return Pace(
        came_after_s=config.events.came_after_s,
        left_after_s=config.events.left_after_s,
        stayed_after_s=config.events.stayed_after_s,
        label_hold_s=config.events.label_hold_s,
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
