"""Damage model files in seeded ways and see whether the interpreter survives them.

``python -m tests.engine.damage 400`` prints what became of 400 damaged copies of each test model,
with the check of ``engine/schema.py`` and without it. Each copy is loaded and run in a process of
its own, forked from one that has the interpreter imported already.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from edge_runtime.engine.litert import LitertEngine, load_library
from edge_runtime.engine.schema import read_graph
from edge_runtime.errors import ModelRejected

MODELS = Path(__file__).parent / "models"

SECONDS = 10
"""A damaged model that runs longer counts as hung."""


def truncated(content: bytes, count: int, seed: int) -> Iterator[bytes]:
    """``count`` copies cut short, by one byte to all of them."""
    choose = random.Random(seed)
    for _ in range(count):
        yield content[: choose.randrange(len(content))]


def flipped(content: bytes, count: int, seed: int) -> Iterator[bytes]:
    """``count`` copies with one to eight bits flipped."""
    choose = random.Random(seed)
    for _ in range(count):
        damaged = bytearray(content)
        for _ in range(choose.randint(1, 8)):
            damaged[choose.randrange(len(damaged))] ^= 1 << choose.randrange(8)
        yield bytes(damaged)


def outcome(content: bytes, *, checked: bool = True) -> str:
    """``refused``, ``ran``, ``failed`` (a Python error), ``crashed`` or ``hung``."""
    child = os.fork()
    if not child:
        os._exit(_run(content, checked))
    status = _wait(child)
    if status is None:
        return "hung"
    if os.WIFSIGNALED(status):
        return "crashed"
    return ("ran", "refused", "failed")[os.WEXITSTATUS(status)]


def _run(content: bytes, checked: bool) -> int:
    # The interpreter's complaints about each damaged file would drown the test's own words.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    try:
        if checked:
            read_graph(content, "damaged")
        engine = LitertEngine(
            content, name="damaged", library=load_library("auto"), threads=1, clock=time.monotonic
        )
        engine.invoke()
        engine.close()
    except ModelRejected:
        return 1
    except Exception:
        return 2
    return 0


def _wait(child: int) -> int | None:
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return status
        time.sleep(0.0005)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return None


def main(count: int) -> None:
    load_library("auto")
    for file in sorted(MODELS.glob("*.tflite")):
        content = file.read_bytes()
        for kind in (truncated, flipped):
            for checked in (False, True):
                seen = Counter(outcome(each, checked=checked) for each in kind(content, count, 1))
                told = ", ".join(f"{n} {what}" for what, n in sorted(seen.items()))
                line = f"{file.stem:18} {kind.__name__:9} checked={checked!s:5} {told}\n"
                sys.stdout.write(line)


if __name__ == "__main__":
    main(int(sys.argv[1]))
