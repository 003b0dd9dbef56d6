"""Settings read again while running: what can takes effect at once, the rest is named."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from edge_runtime.config import Config
from edge_runtime.config.config import KEYS, LISTS
from edge_runtime.errors import EdgeRuntimeError
from edge_runtime.service.heartbeat import Heartbeat
from edge_runtime.service.worker import Worker

log = logging.getLogger(__name__)

AT_ONCE: Final = ("detector", "classify", "governor", "telemetry", "log", "rule")
"""Tables that take effect at once, whole; docs/service.md names them."""

LOOK_S: Final = 0.5
"""How often the thread that waits for a reload looks whether the run ends."""

Read = Callable[[], Config]
"""Reads the settings as they were read at the start. Raises ConfigError."""

Apply = Callable[[Config], None]
"""Lets settings take effect, or raises and changes nothing."""


class Change(NamedTuple):
    """Between the settings in force and those that were read."""

    config: Config
    """What may be in force now: the new tables of ``AT_ONCE``, all others as before."""
    at_once: tuple[str, ...]
    """Dotted keys that differ and take effect."""
    at_restart: tuple[str, ...]
    """Dotted keys that differ and do not before a restart."""


def change(old: Config, new: Config) -> Change:
    """What of ``new`` can be in force without a restart."""
    differing = [key for key in KEYS if old.value(key) != new.value(key)]
    differing += [name for name in LISTS if getattr(old, name) != getattr(new, name)]
    at_once = tuple(key for key in differing if key.partition(".")[0] in AT_ONCE)
    tables = {table: getattr(new, table) for table in AT_ONCE}
    rest = tuple(key for key in differing if key not in at_once)
    return Change(old.model_copy(update=tables), at_once, rest)


class Reloader:
    """Waits until somebody asks, in a thread of its own, so that frames go on meanwhile."""

    def __init__(
        self, config: Config, read: Read, asked: threading.Event, heartbeat: Heartbeat
    ) -> None:
        """``asked``: set by a signal's handler, cleared here."""
        self.config = config
        """The settings in force."""
        self._read, self._asked, self._heartbeat = read, asked, heartbeat

    def worker(self, apply: Sequence[Apply]) -> Worker:
        """The thread; whoever calls starts and stops it. What may fail comes first in ``apply``."""

        def follow(worker: Worker) -> None:
            while not worker.stopping:
                if self._asked.wait(LOOK_S):
                    self._asked.clear()
                    self.reload(apply)

        return Worker("settings", follow)

    def reload(self, apply: Sequence[Apply]) -> None:
        """Read and let take effect; on any mistake the settings in force stay, and it is said."""
        self._heartbeat.reload_began()
        try:
            found = change(self.config, self._read())
            if found.at_once:
                for each in apply:
                    each(found.config)
        except EdgeRuntimeError as error:
            log.error("the settings stay as they were: %s", error)
            self._heartbeat.reload_ended(f"settings refused, the old ones stay: {error}")
            return
        self.config = found.config
        self._heartbeat.reload_ended(_said(found))


def _said(found: Change) -> str:
    if found.at_restart:
        log.warning("needs a restart to take effect: %s", ", ".join(found.at_restart))
    if found.at_once:
        log.info("in force now: %s", ", ".join(found.at_once))
    elif not found.at_restart:
        log.info("the settings are as they were")
    return "settings read again"
