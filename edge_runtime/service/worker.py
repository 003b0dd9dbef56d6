"""One thread with a stopping event: it cannot be lost, and it is loud when it fails."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Self

log = logging.getLogger(__name__)

Work = Callable[["Worker"], None]


class Worker:
    """Runs ``work(worker)`` in a thread until it returns or ``stop`` is called.

    The work asks ``stopping`` or, better, sleeps with ``wait``: the sleep is the stop check. An
    error that escapes the work is kept in ``error`` and handed to ``on_error``.
    """

    def __init__(
        self, name: str, work: Work, *, on_error: Callable[[BaseException], None] | None = None
    ) -> None:
        self.name = name
        self.error: BaseException | None = None
        self._work = work
        self._on_error = on_error
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> Self:
        """Begin; a worker starts once."""
        self._thread.start()
        return self

    @property
    def stopping(self) -> bool:
        return self._stop.is_set()

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    def wait(self, seconds: float) -> bool:
        """Sleep; True as soon as the worker is to stop."""
        return self._stop.wait(seconds)

    def ask_to_stop(self) -> None:
        """Ask the work to end without waiting; for many workers before each is stopped."""
        self._stop.set()

    def stop(self, timeout_s: float = 1.5) -> bool:
        """Ask the work to end and wait for it; False, and a log line, when it does not."""
        self._stop.set()
        if self._thread.ident is not None and self._thread is not threading.current_thread():
            self._thread.join(timeout_s)
        if self.alive:
            log.error("the %s thread did not end within %.1f s; leaving it", self.name, timeout_s)
        return not self.alive

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _run(self) -> None:
        try:
            self._work(self)
        except BaseException as error:
            self.error = error
            if self._on_error is None:
                log.exception("the %s thread failed", self.name)
            else:
                self._on_error(error)
