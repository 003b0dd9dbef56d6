"""What a run writes to the memory card: ``python -m benchmarks.quiet_card``.

A real ``edge-runtime run`` on the demo, with its page open as a browser has it: one connection
follows the status, one shows the live view. After the start, ``write_bytes`` of ``/proc/PID/io`` is
read for ten minutes, of the process and of all its descendants: what they sent towards a disk. It
exits with 1 when that is more than nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.crowd import Crowd
from benchmarks.performance_page import today
from benchmarks.viewers import SETTLE_S, Runtime, running
from edge_runtime.bench.machine import this_machine


def family(pid: int, proc: Path = Path("/proc")) -> Iterator[int]:
    """A process and all that descend from it and still live."""
    yield pid
    for task in (proc / str(pid) / "task").iterdir():
        for child in (task / "children").read_text().split():
            yield from family(int(child), proc)


def written(pid: int, proc: Path = Path("/proc")) -> int:
    """Bytes that a process, and its children that it waited for, sent towards a disk."""
    lines = (proc / str(pid) / "io").read_text().splitlines()
    return int(dict(line.split(": ") for line in lines)["write_bytes"])


def total(pid: int, proc: Path = Path("/proc")) -> int:
    return sum(written(each, proc) for each in family(pid, proc))


async def grown(runtime: Runtime, seconds: float) -> tuple[int, int, int, int]:
    """Bytes written, frames, events and pictures in so many seconds with the page open."""
    crowd = Crowd(runtime.port, followers=1, viewers=1)
    async with crowd.gathered():
        await asyncio.sleep(SETTLE_S)
        crowd.forget()
        first, before = await asyncio.to_thread(runtime.reading), total(runtime.pid)
        await asyncio.sleep(seconds)
        last = await asyncio.to_thread(runtime.reading)
        if crowd.losses():
            raise SystemExit(f"the page was not open all the time: {crowd.losses()[0]}")
        events = sum(each.things for each in crowd.followers)
        pictures = sum(each.things for each in crowd.viewers)
        return total(runtime.pid) - before, last.frames - first.frames, events, pictures


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--core", type=int, default=0, help="the runtime's")
    parser.add_argument("--source", default="demo://?faces=1")
    options = parser.parse_args()
    with running(options.source, options.core, viewers=2) as runtime:
        wrote, frames, events, pictures = asyncio.run(grown(runtime, options.seconds))
    print(
        f"{today()}, {this_machine()}; `{options.source}`, {options.seconds:g} s: "
        f"{wrote} bytes written, {frames} frames, {events} status events and {pictures} pictures "
        "sent to the page"
    )
    return 0 if wrote == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
