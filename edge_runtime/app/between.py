"""Work that must be done between two frames, handed in by other threads."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Final

from edge_runtime.errors import ExchangeFailed

LONGEST_WAIT_S: Final = 10.0
"""For a frame to end: far longer than one takes, far shorter than somebody waits for a page."""


class _Job:
    """A call, and what came of it."""

    def __init__(self, call: Callable[[], None]) -> None:
        self.call = call
        self.done = threading.Event()
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            self.call()
        except Exception as error:  # noqa: BLE001 - raised again where it was handed in
            self.error = error
        self.done.set()


class Between:
    """A queue of short jobs for the thread that processes frames."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: deque[_Job] = deque()
        self._ended = False

    def do(self, call: Callable[[], None], *, wait_s: float = LONGEST_WAIT_S) -> None:
        """Have ``call`` done between two frames; returns when it is.

        Raises what ``call`` raises, and ExchangeFailed when no frame will come any more or none
        ended within ``wait_s`` seconds; ``call`` is then never done.
        """
        job = _Job(call)
        with self._lock:
            if self._ended:
                raise ExchangeFailed("frames are no longer processed, so nothing can be exchanged")
            self._waiting.append(job)
        if not job.done.wait(wait_s) and self._withdrawn(job):
            raise ExchangeFailed(f"no frame ended within {wait_s:g} s, so nothing was exchanged")
        job.done.wait()
        if job.error is not None:
            raise job.error

    @property
    def waiting(self) -> int:
        """Jobs that are not done yet."""
        return len(self._waiting)

    def run_waiting(self) -> None:
        """Do all that waits; for the thread that processes frames, between two of them."""
        while self._waiting:
            with self._lock:
                job = self._waiting.popleft() if self._waiting else None
            if job is not None:
                job.run()

    def end(self) -> None:
        """No frame will come: whoever waits is told so."""
        with self._lock:
            self._ended = True
            waiting, self._waiting = self._waiting, deque()
        for job in waiting:
            job.error = ExchangeFailed("frames are no longer processed, so nothing was exchanged")
            job.done.set()

    def _withdrawn(self, job: _Job) -> bool:
        with self._lock:
            if job in self._waiting:
                self._waiting.remove(job)
                return True
        return False
