"""An action that starts a program: a fixed list of words, never a shell, bounded in time and talk.

The event comes as JSON on its standard input and as ``EVENT_…`` variables. No word of the list is
made of anything that was seen, so nobody before the camera can add one.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import selectors
import shutil
import signal
import subprocess
import time
from collections.abc import Sequence
from typing import IO, Final

from edge_runtime.errors import ActionFailed, ActionUnavailable
from edge_runtime.events.action import Action, Firing, Wait
from edge_runtime.types import Clock

log = logging.getLogger(__name__)

PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

LISTENS_TO: Final = 4096
"""Bytes of its output that are logged; the rest is read and thrown away."""


class CommandAction(Action):
    """Raises ActionUnavailable when there is no such program."""

    def __init__(
        self, words: Sequence[str], *, timeout_s: float = 10.0, clock: Clock = time.monotonic
    ) -> None:
        self._words, self._timeout_s, self._clock = tuple(words), timeout_s, clock
        if shutil.which(self._words[0], path=PATH) is None:
            raise ActionUnavailable(
                f"{self._words[0]} is no program that may be started: expected an executable file, "
                f"by its whole path or in {PATH}"
            )
        # Written to by ``cancel``: the one select waits for that, too.
        self._cancelled = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)

    @property
    def description(self) -> str:
        return f"start {' '.join(self._words)}"

    def run(self, firing: Firing, wait: Wait) -> None:
        reader, writer = os.pipe2(os.O_CLOEXEC)
        with os.fdopen(reader, "rb", 0) as output:
            with os.fdopen(writer, "wb", 0) as theirs:
                started = self._started(firing, theirs)
            with started:
                try:
                    said, problem = self._listen(output.fileno(), started.pid)
                finally:
                    _end(started)
        self._judge(started, firing, said, problem)

    def cancel(self) -> None:
        os.eventfd_write(self._cancelled, 1)

    def close(self) -> None:
        if self._cancelled >= 0:
            os.close(self._cancelled)
            self._cancelled = -1

    def _started(self, firing: Firing, output: IO[bytes]) -> subprocess.Popen[bytes]:
        with os.fdopen(os.memfd_create("event"), "w+b") as event:
            event.write(json.dumps(firing.as_json()).encode())
            event.seek(0)
            try:
                return subprocess.Popen(
                    self._words,
                    stdin=event,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    env=environment(firing),
                    cwd="/",
                    start_new_session=True,  # so that what it starts can be ended with it
                )
            except OSError as error:
                reason = error.strerror or str(error)
                raise ActionFailed(f"{self._words[0]} could not be started: {reason}") from error

    def _listen(self, output: int, process: int) -> tuple[bytes, str | None]:
        """Until it ends: what it said, and why it is to be ended, if it is."""
        said, gives_up_at = b"", self._clock() + self._timeout_s
        ended = os.pidfd_open(process)
        with os.fdopen(ended, "rb", 0), selectors.DefaultSelector() as waiting:
            for each in (output, ended, self._cancelled):
                waiting.register(each, selectors.EVENT_READ)
            while True:
                left = gives_up_at - self._clock()
                ready = [key.fd for key, _ in waiting.select(left)] if left > 0 else []
                if self._cancelled in ready:
                    return said, "was ended because the rule ends"
                if not ready:
                    return said, f"did not end within {self._timeout_s:g} s and was ended"
                if output in ready:
                    heard = os.read(output, 65536)
                    said += heard[: LISTENS_TO - len(said)]
                    if not heard:
                        waiting.unregister(output)
                elif ended in ready:
                    # Whatever it left running in the background may keep the output open.
                    return said, None

    def _judge(
        self, ended: subprocess.Popen[bytes], firing: Firing, said: bytes, problem: str | None
    ) -> None:
        lines = said.decode("utf-8", "replace").splitlines()
        for line in lines:
            log.info("rule %s: %s says: %s", firing.rule, self._words[0], line)
        if problem is None and ended.returncode:
            problem = f"ended with {_exit(ended.returncode)}"
        if problem is not None:
            last = f": {lines[-1]}" if lines else ""
            raise ActionFailed(f"{self._words[0]} {problem}{last}")


def environment(firing: Firing) -> dict[str, str]:
    """All that the program finds set: nothing of our own environment, which may hold secrets."""
    event = firing.event
    values: dict[str, object] = {
        "rule": firing.rule,
        "test": int(firing.test),
        "id": event.id,
        "time": event.time,
        "kind": event.kind,
        "camera": event.camera,
        "track": event.track,
        "sentence": event.sentence,
    }
    values |= {f"field_{name}": value for name, value in event.fields.items()}
    told = {f"EVENT_{name.upper()}": _text(value) for name, value in values.items()}
    return {"PATH": PATH, "LANG": "C.UTF-8"} | told


def _text(value: object) -> str:
    if value is None:
        return ""
    text = ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
    return text.replace("\0", "")


def _exit(code: int) -> str:
    return f"exit code {code}" if code > 0 else f"signal {signal.Signals(-code).name}"


def _end(started: subprocess.Popen[bytes]) -> None:
    """The program and, when it did not end by itself, all it started."""
    if started.poll() is None:
        # It may end at this very moment.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(started.pid, signal.SIGKILL)
        started.wait()
