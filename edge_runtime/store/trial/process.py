"""Run a program that may do anything, and come back with how it ended."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import Final, Literal

from edge_runtime.types import Clock

_PIECE: Final = 1 << 16


@dataclass(frozen=True, slots=True)
class Ending:
    """What a program wrote, and how it came to its end."""

    said: bytes
    complaints: bytes
    """What came on stderr."""
    status: int
    """Its exit status; the negative number of the signal it died of."""
    stopped: Literal["time", "output"] | None
    """Why it was ended from here: it took too long, or wrote too much."""


def run_watched(
    command: Sequence[str],
    *,
    stdin: int,
    environment: Mapping[str, str],
    wall_s: float,
    most_bytes: int,
    clock: Clock = time.monotonic,
) -> Ending:
    """Run ``command`` in a session of its own, away from our folder, files and environment.

    Whatever it started is ended with it. Raises OSError when it cannot be started.
    """
    deadline = clock() + wall_s
    with subprocess.Popen(
        command,
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        bufsize=0,
        cwd="/",
        env=dict(environment),
        start_new_session=True,
    ) as process:
        try:
            with closing(_Watch(process, most_bytes)) as watch:
                stopped = watch.until_end(deadline, clock)
        finally:
            # Not reaped yet, so that the number is still that of its group.
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
    said, complaints = watch.written
    return Ending(bytes(said), bytes(complaints), process.returncode, stopped)


class _Watch:
    """Reads what a process writes, until it ends."""

    def __init__(self, process: subprocess.Popen[bytes], most_bytes: int) -> None:
        self.written = (bytearray(), bytearray())
        self._left = most_bytes
        # Becomes readable when the process ends; the pipes may be held open by its children.
        self._end = os.pidfd_open(process.pid)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._end, selectors.EVENT_READ)
        pipes = filter(None, (process.stdout, process.stderr))
        for pipe, buffer in zip(pipes, self.written, strict=True):
            self._selector.register(pipe.fileno(), selectors.EVENT_READ, buffer)

    def until_end(self, deadline: float, clock: Clock) -> Literal["time", "output"] | None:
        """Wait for the end; why it must be brought about, or None when it came by itself."""
        ended = False
        while not ended or self._selector.select(0):
            ready = self._selector.select(max(0.0, deadline - clock()))
            if not ready:
                return "time"
            for key, _ in ready:
                if key.fd == self._end:
                    self._selector.unregister(self._end)
                    ended = True
                else:
                    self._read(key.fd, key.data)
            if self._left < 0:
                return "output"
        return None

    def close(self) -> None:
        self._selector.close()
        os.close(self._end)

    def _read(self, pipe: int, buffer: bytearray) -> None:
        piece = os.read(pipe, _PIECE)
        if not piece:
            self._selector.unregister(pipe)
        self._left -= len(piece)
        buffer += piece
