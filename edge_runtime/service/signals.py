"""SIGINT and SIGTERM end the program cleanly, a second one at once; SIGHUP reads settings again."""

from __future__ import annotations

import logging
import signal
import threading
from types import FrameType

log = logging.getLogger(__name__)


def stop_on_signals(stop: threading.Event) -> None:
    """Set ``stop`` on the first SIGINT or SIGTERM. Call from the main thread."""

    def ask(number: int, frame: FrameType | None) -> None:
        log.info("%s received, stopping", signal.Signals(number).name)
        stop.set()
        # Whoever asks twice means it: the default action ends the process.
        signal.signal(number, signal.SIG_DFL)

    signal.signal(signal.SIGINT, ask)
    signal.signal(signal.SIGTERM, ask)


def reload_on_hangup(asked: threading.Event, *, terminal: bool) -> None:
    """Set ``asked`` on each SIGHUP. Call from the main thread.

    At a ``terminal`` the signal means that its window was closed, and goes on ending the program.
    """

    def ask(number: int, frame: FrameType | None) -> None:
        log.info("SIGHUP received, reading the settings again")
        asked.set()

    if not terminal:
        signal.signal(signal.SIGHUP, ask)
