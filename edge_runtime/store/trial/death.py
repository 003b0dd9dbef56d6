"""How a process that tried a model came to its end, in words."""

from __future__ import annotations

import signal
from typing import Final

from edge_runtime.store.trial.process import Ending
from edge_runtime.store.trial.verdict import Limits

_DEATHS: Final = {
    signal.SIGSEGV: "reached for memory that is not its own",
    signal.SIGBUS: "reached for memory that is not there",
    signal.SIGFPE: "divided by zero",
    signal.SIGILL: "came to an instruction that this processor lacks",
    signal.SIGABRT: "gave up",
    signal.SIGKILL: "was killed, most likely because memory ran short",
    signal.SIGSYS: "made a forbidden system call",
}
_LONGEST_COMPLAINT: Final = 200


def cause_of(ending: Ending, limits: Limits) -> str:
    """Why there is no proper end, in words."""
    if ending.stopped == "time":
        return f"it took longer than {limits.wall_s:g} s"
    if ending.stopped == "output":
        return f"it wrote more than {limits.report_bytes} bytes"
    if b"bad_alloc" in ending.complaints:
        return f"it needs more than {limits.memory_mb} MiB of memory"
    if ending.status == -signal.SIGXCPU:
        return f"it used more than {limits.cpu_s} s of processor time"
    if ending.status < 0:
        return f"it {_words(-ending.status)}{_complaint(ending)}"
    return f"it ended with status {ending.status} and no result{_complaint(ending)}"


def _words(number: int) -> str:
    try:
        name = signal.Signals(number).name
    except ValueError:
        return f"was ended by signal {number}"
    return f"{_DEATHS.get(signal.Signals(number), 'was ended')} ({name})"


def _complaint(ending: Ending) -> str:
    """The last line it wrote to stderr, if any."""
    lines = ending.complaints.decode(errors="replace").strip().splitlines()
    return f": {lines[-1][:_LONGEST_COMPLAINT]}" if lines else ""
