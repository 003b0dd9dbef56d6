"""How well the service runs: restarted, watched, and held against how well it ran before."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from edge_runtime.errors import SupervisorUnavailable
from edge_runtime.service.standing import PROPERTIES, Standing, standing_of
from edge_runtime.service.systemctl import Systemctl
from edge_runtime.service.unit import NAME
from edge_runtime.types import Clock

SETTLED_S: Final = 10.0
"""So long without a restart: what dies of its first minute of work is another matter."""

_PAUSE_S: Final = 1.0

Ask = Callable[[], str | None]
"""Why frames do not flow, by the page's account; None when they do."""


class Level(IntEnum):
    """A new version has to come as far as the old one was."""

    STOPPED = 0
    """By somebody: not started, not judged."""
    FAILED = 1
    WAITING = 2
    """It runs, and waits for its camera."""
    READY = 3


@dataclass(frozen=True, slots=True)
class Look:
    """The service at one moment."""

    level: Level
    start: str
    """Which start this is: systemd's InvocationID."""
    restarts: int
    """By systemd since somebody asked for a start."""
    why: str
    """What keeps it from being ready, in words; empty when it is."""


class Health:
    """Of the service on this machine. ``ask`` is its page, None where it has none."""

    def __init__(
        self, systemctl: Systemctl, ask: Ask | None, clock: Clock, wait: Callable[[float], None]
    ) -> None:
        self._systemctl, self._ask, self._clock, self._wait = systemctl, ask, clock, wait

    def look(self) -> Look:
        """Raises SupervisorUnavailable."""
        shown = self._systemctl.properties(NAME, (*PROPERTIES, "InvocationID"))
        standing = standing_of(shown)
        level, why = self._judged(standing, shown.get("SubState", ""))
        return Look(level, shown.get("InvocationID", ""), standing.restarts or 0, why)

    def restart(self) -> str:
        """Ask for a restart; the start that there was before. Raises SupervisorUnavailable."""
        before = self.look().start
        # Also begins the counting of restarts anew, and forgives what failed too often.
        self._systemctl.do("reset-failed", NAME)
        self._systemctl.do("--no-block", "restart", NAME)
        return before

    def problem_within(self, within_s: float, wanted: Level, before: str) -> str | None:
        """Wait until the start after ``before`` has reached ``wanted`` and stays there.

        None when it did; otherwise what is wrong, in words. Never waits for more than ``within_s``
        and SETTLED_S.
        """
        deadline = self._clock() + within_s
        reached: float | None = None
        while True:
            look, now = self._seen(), self._clock()
            is_new = look.start != before
            if is_new and (look.restarts or look.level is Level.FAILED):
                return f"it ended: {look.why or 'systemd had to start it again'}"
            if not is_new or look.level < wanted:
                reached = None
            elif reached is None:
                reached = now
            elif now - reached >= SETTLED_S:
                return None
            if reached is None and now >= deadline:
                return f"it was not well within {within_s:.0f} s: {look.why or 'no new start'}"
            self._wait(_PAUSE_S)

    def _seen(self) -> Look:
        try:
            return self.look()
        except SupervisorUnavailable as error:
            # systemd may be busy with the very restart; for how long, the deadline says.
            return Look(Level.STOPPED, "", 0, str(error))

    def _judged(self, standing: Standing, sub: str) -> tuple[Level, str]:
        told = standing.status or standing.result
        if standing.is_well:
            why = self._ask() if self._ask else None
            return (Level.READY, "") if why is None else (Level.WAITING, why)
        if standing.state == "inactive" and standing.result in ("", "success"):
            return Level.STOPPED, "it is stopped"
        if standing.state == "failed" or sub.startswith("auto-restart"):
            why = f"{standing.state}, {standing.result}, exit code {standing.exit_code}"
            return Level.FAILED, why
        return Level.WAITING, f"{standing.state}, {told}"
