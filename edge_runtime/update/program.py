"""The update as a program of its own: told what to do by JSON, by nothing at boot.

It connects rooms as ``app`` does elsewhere, and cannot be part of that: it has to run while the
installed files are exchanged, so it takes nothing along but what archive.py names.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Final, Literal, TextIO

from edge_runtime.errors import EdgeRuntimeError, UpdateRefused
from edge_runtime.service.systemctl import Systemctl, run_program
from edge_runtime.store.shelf.disk import SystemDisk
from edge_runtime.update.dpkg import Dpkg
from edge_runtime.update.health import Health
from edge_runtime.update.keep import FOLDER, Keep
from edge_runtime.update.offer import pieces_of
from edge_runtime.update.page import why_not_ready
from edge_runtime.update.repack import Repack
from edge_runtime.update.update import WITHIN_S, Conditions, Machine, Update

INSTALL_S: Final = 3600.0
"""A Pi Zero on a slow card takes minutes; stopping dpkg in the midst helps nobody."""


@dataclass(frozen=True, slots=True)
class Orders:
    """What a person asked for."""

    do: Literal["install", "roll back", "resume"] = "resume"
    offered: str = ""
    """A file or an address."""
    sha256: str | None = None
    allow_downgrade: bool = False
    allow_http: bool = False
    within_s: float = WITHIN_S
    page: str | None = None
    """Where the page of this machine is; None: there is none."""

    def to_json(self) -> str:
        return json.dumps(asdict(self))


def main(argv: Sequence[str]) -> int:
    """``PROGRAM [ORDERS]``; the exit code, as docs/exit-codes.md has it."""
    orders = Orders(**json.loads(argv[1])) if len(argv) > 1 else Orders()
    told = Told(sys.stdout)
    try:
        told(carry_out(orders, Path(argv[0]), told))
    except EdgeRuntimeError as error:
        Told(sys.stderr)(f"edge-runtime: {error}")
        return error.exit_code
    except KeyboardInterrupt:
        Told(sys.stderr)("edge-runtime: interrupted; nothing was changed")
        return 128 + signal.SIGINT
    return 0


def carry_out(orders: Orders, program: Path, tell: Callable[[str], None]) -> str:
    """Do it on this machine; ``program`` is the file that runs. Raises as Update does."""
    run = partial(run_program, timeout_s=INSTALL_S)
    ask = partial(why_not_ready, orders.page) if orders.page else None
    machine = Machine(
        dpkg=Dpkg(run, time.sleep),
        health=Health(Systemctl(), ask, time.monotonic, time.sleep),
        repack=Repack(run),
        free_bytes=lambda: shutil.disk_usage(FOLDER).free,
        rescue=program.read_bytes,
        shield=shield,
        tell=tell,
    )
    update = Update(Keep(SystemDisk()), machine)
    if orders.do == "resume":
        return update.resume()
    if orders.do == "roll back":
        return update.roll_back(orders.within_s)
    if orders.allow_http and orders.sha256 is None:
        raise UpdateRefused("--allow-http needs --sha256: nothing else says whose package it is")
    pieces = pieces_of(orders.offered, allow_http=orders.allow_http)
    conditions = Conditions(orders.sha256, orders.allow_downgrade, orders.within_s)
    return update.install(pieces, conditions)


def shield() -> None:
    """A broken ssh connection, or Ctrl-C, ends neither us nor dpkg in the midst of it."""
    for number in (signal.SIGHUP, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)


class Told:
    """Lines for who waits. Whether he still does must not matter."""

    def __init__(self, out: TextIO) -> None:
        self._out: TextIO | None = out

    def __call__(self, line: str) -> None:
        if self._out is None:
            return
        try:
            self._out.write(f"{line}\n")
            self._out.flush()
        except OSError:
            # The terminal is gone; the record tells how it ended.
            self._out = None
            # Python would try once more at the end, and fail with a code of its own.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
