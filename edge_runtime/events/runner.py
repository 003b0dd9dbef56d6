"""Does what one rule wants done, one firing after the other, in a thread of its own."""

from __future__ import annotations

import contextlib
import logging
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from edge_runtime.errors import EdgeRuntimeError
from edge_runtime.events.action import Action, Firing
from edge_runtime.events.log import EventLog

log = logging.getLogger(__name__)

MOST_WAITING: Final = 16
"""Firings that wait for their turn; what comes then is dropped and counted."""


class Sleeper(Protocol):
    """What the work asks of the thread it runs in."""

    @property
    def stopping(self) -> bool: ...

    def wait(self, seconds: float) -> bool: ...


@dataclass(frozen=True, slots=True)
class Tally:
    """How a rule has done so far."""

    done: int
    failed: int
    dropped: int
    waiting: int
    problem: str | None
    """Why it failed last, until it succeeds again."""


class Runner:
    """``offer`` never waits, whatever the action does."""

    def __init__(self, rule: str, action: Action, events: EventLog) -> None:
        self.rule, self.action = rule, action
        self._events = events
        self._waiting: queue.Queue[Firing | None] = queue.Queue(MOST_WAITING)
        self._done = self._failed = self._dropped = 0
        self._failing = 0
        """Failures in a row."""
        self._problem: str | None = None
        self._overrun = False
        self._ended = threading.Event()

    def offer(self, firing: Firing) -> None:
        """Have it done when its turn comes."""
        try:
            self._waiting.put_nowait(firing)
        except queue.Full:
            self._dropped += 1
            if not self._overrun:  # said once, until it catches up
                self._overrun = True
                log.warning(
                    "rule %s cannot keep up: %d firings wait, so more are dropped",
                    self.rule, MOST_WAITING,
                )  # fmt: skip

    def work(self, worker: Sleeper) -> None:
        """The thread's work, until ``finish`` or ``end``."""
        try:
            while (firing := self._waiting.get()) is not None:
                self._do(firing, worker.wait)
                if self._overrun and self._waiting.qsize() <= MOST_WAITING // 2:
                    self._overrun = False
                    log.info("rule %s keeps up again, %d were dropped", self.rule, self._dropped)
        finally:
            self._ended.set()

    def finish(self) -> None:
        """Let the thread end when all that waits now is done."""
        with contextlib.suppress(queue.Full):  # ``end`` will do
            self._waiting.put_nowait(None)

    def end(self, grace_s: float = 0.0) -> None:
        """Let the thread end within ``grace_s``: then what is under way is broken off."""
        if self._ended.wait(grace_s):
            return
        dropped = 0
        with contextlib.suppress(queue.Empty):
            while True:
                dropped += self._waiting.get_nowait() is not None
        self._waiting.put_nowait(None)
        self.action.cancel()
        if dropped:
            self._dropped += dropped
            log.warning("rule %s: %d firings were dropped: it ends", self.rule, dropped)

    def tally(self) -> Tally:
        return Tally(self._done, self._failed, self._dropped, self._waiting.qsize(), self._problem)

    def _do(self, firing: Firing, wait: Callable[[float], bool]) -> None:
        try:
            self.action.run(firing, wait)
        except EdgeRuntimeError as error:
            self._fail(str(error))
        except Exception as error:
            # Ours, but one rule's defect must not end the others.
            log.exception("rule %s", self.rule)
            self._fail(f"{type(error).__name__}: {error}")
        else:
            self._succeed(firing)

    def _succeed(self, firing: Firing) -> None:
        self._done += 1
        log.info("rule %s: %s: %s", self.rule, firing.event.sentence, self.action.description)
        if self._failing:
            times, self._failing, self._problem = self._failing, 0, None
            sentence = f"Rule {self.rule} works again, after {times} failures"
            log.info("%s", sentence)
            self._events.tell("action_recovered", sentence, rule=self.rule, failures=times)

    def _fail(self, problem: str) -> None:
        """Said once: a receiver that is away for a night is one event, not a thousand."""
        self._failed += 1
        self._failing += 1
        self._problem = problem
        if self._failing > 1:
            log.debug("rule %s failed again: %s", self.rule, problem)
            return
        sentence = f"Rule {self.rule} failed: {problem}"
        log.warning("%s", sentence)
        self._events.tell("action_failed", sentence, rule=self.rule, problem=problem)
