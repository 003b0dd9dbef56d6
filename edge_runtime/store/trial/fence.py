"""What a process does to itself before it touches a file that nobody trusts.

Set by the process itself and not between fork and exec, where a parent with threads may not run
Python. Nothing of the file has been read by then. Each fence can only be tightened afterwards.
"""

from __future__ import annotations

import ctypes
import math
import os
import resource
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from edge_runtime.store.trial import calls

# linux/prctl.h and linux/sched.h:
_SET_PDEATHSIG: Final = 1
_SET_NO_NEW_PRIVS: Final = 38
_NEW_USER: Final = 0x1000_0000
_NEW_NET: Final = 0x4000_0000

_NICE: Final = 10
_FILE_BYTES: Final = 1 << 16
"""The interpreter's greeting goes through a small file in memory (``engine/chatter.py``)."""
_FILES: Final = 16
_MIB: Final = 1 << 20

_libc: Final = ctypes.CDLL(None, use_errno=True)


def close_fence(*, cpu_s: int, memory_mb: int) -> tuple[str, ...]:
    """Give up everything that running a model does not need.

    From here on: ``cpu_s`` processor seconds and ``memory_mb`` MiB of address space more than now;
    no new process or thread, no program, no socket, no file to speak of. Returns what this system
    does not allow, each in a few words.
    """
    gaps = [
        *_tried("end with its parent", lambda: _prctl(_SET_PDEATHSIG, signal.SIGKILL)),
        *_tried("low priority", _lower_priority),
        *_tried("first to go when memory is short", _offer_to_oom_killer),
        *_tried("no new privileges", lambda: _prctl(_SET_NO_NEW_PRIVS, 1)),
        *_tried("limits", lambda: _limit(cpu_s, memory_mb)),
        *_without_network(),
    ]
    return tuple(gaps)


def _without_network() -> list[str]:
    """A filter of system calls; where it is refused, a network of its own with nothing in it."""
    filtered = _tried("no sockets and processes", lambda: calls.refuse(_libc))
    if not filtered:
        return []
    return filtered + _tried("no network", lambda: _check(_libc.unshare(_NEW_USER | _NEW_NET)))


def memory_kb() -> dict[str, int]:
    """VmSize, VmRSS, VmHWM and the like of this process, KiB.

    Not from getrusage: its peak begins with that of the parent, out of which we were forked.
    """
    lines = Path("/proc/self/status").read_text().splitlines()
    named = (line.partition(":") for line in lines if line.endswith(" kB"))
    return {name: int(value.split()[0]) for name, _, value in named}


def _limit(cpu_s: int, memory_mb: int) -> None:
    space = memory_kb()["VmSize"] * 1024 + memory_mb * _MIB
    used_s = math.ceil(time.process_time())
    for kind, (soft, hard) in {
        # At the soft limit comes SIGXCPU, which tells the parent what happened.
        resource.RLIMIT_CPU: (used_s + cpu_s, used_s + cpu_s + 1),
        resource.RLIMIT_AS: (space, space),
        resource.RLIMIT_FSIZE: (_FILE_BYTES, _FILE_BYTES),
        resource.RLIMIT_NOFILE: (_FILES, _FILES),
        resource.RLIMIT_NPROC: (0, 0),
        resource.RLIMIT_CORE: (0, 0),
    }.items():
        _, most = resource.getrlimit(kind)
        if most != resource.RLIM_INFINITY:
            soft, hard = min(soft, most), min(hard, most)
        resource.setrlimit(kind, (soft, hard))


def _lower_priority() -> None:
    os.nice(_NICE)
    os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))


def _offer_to_oom_killer() -> None:
    Path("/proc/self/oom_score_adj").write_text("1000")


def _prctl(option: int, value: int) -> None:
    _check(_libc.prctl(option, value, 0, 0, 0))


def _check(result: int) -> None:
    if result:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _tried(fence: str, close: Callable[[], None]) -> list[str]:
    try:
        close()
    except (OSError, ValueError) as error:
        return [f"{fence}: {error}"]
    return []
