"""What watching costs: ``python -m benchmarks.viewers``.

A real ``edge-runtime run`` on the demo is held to one core; from this process, on another core, 100
clients follow the status (server-sent events) and 20 the live view over loopback. Frame rate and
memory of the runtime are read from outside, alone, with all of them, and alone again:

- the frame rate is frames processed, by the runtime's own count, over seconds;
- memory is what its process has resident (VmRSS), the most of any second of the phase; each round
  is held against the runtime before the first of them all came, after one viewer and one follower
  had been there: what the first one loads belongs to having a page, not to a crowd;
- processor time is the process's own, user and system, in percent of the core.

It exits with 1 when a goal is missed. On a machine that others use, ``chrt -f 10`` before it takes
the cores alone, as far as it needs them.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

from benchmarks.crowd import Crowd, Watcher
from benchmarks.performance_page import PAGE, cell, put, today
from edge_runtime.bench.machine import this_machine
from edge_runtime.client import Client
from edge_runtime.web.report import StatusReport

MOST_SLOWER = 0.05
MOST_GROWTH_MB = 20.0
MOST_KEPT_MB = 2.0

PATIENCE_S = 60.0
"""For an answer: others may use the machine."""

SETTLE_S = 3.0
"""Between two phases, so that coming and going are not measured."""


@dataclass(frozen=True)
class Reading:
    """The runtime from outside, at one moment."""

    at: float
    frames: int
    dropped: int
    cpu_s: float


@dataclass(frozen=True)
class Phase:
    """A stretch of time, alone or watched."""

    fps: float
    dropped: int
    cpu_percent: float
    age_p95_ms: float
    memory_mb: float


@dataclass(frozen=True)
class Round:
    """Alone, with all who watch, and alone again."""

    before: Phase
    during: Phase
    after: Phase
    pictures_per_s: tuple[float, float]
    """Of the viewer who got the fewest, and of the median one."""
    picture_kb: float
    events_per_s: tuple[float, float]
    lost: tuple[str, ...]
    """Why connections ended that should have lasted."""

    @property
    def slower(self) -> float:
        """Share of the frame rate that was lost while all watched."""
        return 1 - self.during.fps / self.before.fps

    @property
    def slower_after(self) -> float:
        return 1 - self.after.fps / self.before.fps


class Runtime:
    """A run of the demo in a process of its own."""

    def __init__(self, process: subprocess.Popen[str], port: int) -> None:
        self.pid = process.pid
        self.port = port
        self._client = Client(f"http://127.0.0.1:{port}", timeout_s=PATIENCE_S)
        self._proc = Path(f"/proc/{process.pid}")

    def reading(self) -> Reading:
        rates = self.status().rates
        if rates is None:
            raise SystemExit("the runtime had no frame yet: expected one within the first seconds")
        return Reading(time.monotonic(), rates.processed, rates.dropped, self._cpu_s())

    def status(self) -> StatusReport:
        return self._client.status()

    def memory_mb(self) -> float:
        lines = (self._proc / "status").read_text().splitlines()
        kb = next(line.split()[1] for line in lines if line.startswith("VmRSS:"))
        return int(kb) / 1024

    def _cpu_s(self) -> float:
        # Behind the name in parentheses, which may hold anything: fields 14 and 15 of proc(5).
        fields = (self._proc / "stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def running(source: str, core: int, viewers: int) -> Iterator[Runtime]:
    """A runtime on one core, with its page on a free port."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "edge_runtime", "run", "--source", source]
        command += ["--port", "0", "--log-level", "error"]
        settings = {"WEB__MAX_VIEWERS": str(viewers), "STATE_DIR": folder}
        environment = {f"EDGE_RUNTIME_{name}": value for name, value in settings.items()}
        with subprocess.Popen(
            ["taskset", "-c", str(core), *command],
            env=os.environ | environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                first = process.stderr.readline() if process.stderr else ""
                if not first.startswith("page: "):
                    raise SystemExit(f"expected the page's address of the runtime, got {first!r}")
                yield Runtime(process, int(first.strip().rstrip("/").rpartition(":")[2]))
            finally:
                process.terminate()


async def phase(runtime: Runtime, seconds: float) -> Phase:
    """Watch the runtime for so long."""
    first, memory = await asyncio.to_thread(runtime.reading), list[float]()
    while time.monotonic() < first.at + seconds:
        await asyncio.sleep(1)
        memory.append(runtime.memory_mb())
    last = await asyncio.to_thread(runtime.reading)
    status = await asyncio.to_thread(runtime.status)
    passed = last.at - first.at
    return Phase(
        fps=(last.frames - first.frames) / passed,
        dropped=last.dropped - first.dropped,
        cpu_percent=100 * (last.cpu_s - first.cpu_s) / passed,
        age_p95_ms=status.latency_ms["age"].p95,
        memory_mb=max(memory),
    )


async def measured(runtime: Runtime, options: argparse.Namespace) -> Round:
    """One round."""
    before = await phase(runtime, options.seconds)
    crowd = Crowd(runtime.port, followers=options.followers, viewers=options.viewers)
    async with crowd.gathered():
        await asyncio.sleep(SETTLE_S)
        crowd.forget()
        began = time.monotonic()
        during = await phase(runtime, options.seconds)
        passed, lost = time.monotonic() - began, crowd.losses()
    pictures = sum(each.things for each in crowd.viewers)
    size = sum(each.bytes for each in crowd.viewers) / max(1, pictures)
    await asyncio.sleep(SETTLE_S)
    return Round(
        before=before,
        during=during,
        after=await phase(runtime, options.seconds),
        pictures_per_s=least_and_median(crowd.viewers, passed),
        picture_kb=size / 1024,
        events_per_s=least_and_median(crowd.followers, passed),
        lost=tuple(lost),
    )


def least_and_median(watchers: list[Watcher], seconds: float) -> tuple[float, float]:
    rates = [each.things / seconds for each in watchers]
    return min(rates), median(rates)


async def all_rounds(runtime: Runtime, options: argparse.Namespace) -> list[Round]:
    """The rounds, after one of each kind has watched: so everything is loaded that ever is."""
    async with Crowd(runtime.port, followers=1, viewers=1).gathered():
        await asyncio.sleep(SETTLE_S)
    await asyncio.sleep(SETTLE_S)
    return [await measured(runtime, options) for _ in range(options.rounds)]


def goals(rounds: list[Round]) -> list[tuple[str, bool]]:
    """Each goal with its figures, and whether it is met."""
    alone = rounds[0].before.memory_mb
    slower = median(each.slower for each in rounds)
    back = median(each.slower_after for each in rounds)
    grown = max(each.during.memory_mb for each in rounds) - alone
    kept = rounds[-1].after.memory_mb - alone
    more = rounds[-1].after.memory_mb - rounds[0].after.memory_mb
    lost = sum(len(each.lost) for each in rounds)
    return [
        (f"frame rate falls by at most 5 %: {slower:+.1%} slower", slower <= MOST_SLOWER),
        (f"and comes back: {back:+.1%} slower afterwards", back <= MOST_SLOWER / 5),
        (
            f"memory grows by at most {MOST_GROWTH_MB:g} MiB: {grown:+.1f} at most",
            grown <= MOST_GROWTH_MB,
        ),
        (
            f"and comes back within {MOST_KEPT_MB:g} MiB: {kept:+.1f} after the last round, "
            f"{more:+.1f} of it since the first",
            kept <= MOST_KEPT_MB,
        ),
        (f"nobody loses a connection: {lost} did", lost == 0),
    ]


def text(rounds: list[Round], conditions: str) -> str:
    """The figures as Markdown."""
    table = [
        "| round | | frames/s | dropped | core, % | age p95, ms | resident, MiB |",
        "|---|---|---|---|---|---|---|",
    ]
    for number, each in enumerate(rounds, 1):
        for name in ("before", "during", "after"):
            it: Phase = getattr(each, name)
            table.append(
                f"| {number} | {name} | {cell(it.fps)} | {it.dropped} | {cell(it.cpu_percent, 0)} "
                f"| {cell(it.age_p95_ms, 1)} | {cell(it.memory_mb, 1)} |"
            )
    served = [
        f"- a viewer got {each.pictures_per_s[1]:.1f} pictures a second of {each.picture_kb:.0f} "
        f"KiB (the last of them {each.pictures_per_s[0]:.1f}), a follower "
        f"{each.events_per_s[1]:.1f} events (the last {each.events_per_s[0]:.1f})"
        for each in rounds
    ]
    verdicts = [f"- {said} ({'met' if met else 'missed'})" for said, met in goals(rounds)]
    return "\n".join([conditions, "", *verdicts, "", *table, "", "By round:", "", *served])


def command() -> str:
    """How we were started: a figure taken beside others' work is another one."""
    first = ["chrt", "-f", "10"] if os.sched_getscheduler(0) == os.SCHED_FIFO else []
    said = [each for each in sys.argv[1:] if each != "--write"]
    return " ".join([*first, "python", "-m", "benchmarks.viewers", *said])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--followers", type=int, default=100)
    parser.add_argument("--viewers", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=15.0, help="of each phase")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--core", type=int, default=0, help="the runtime's")
    parser.add_argument("--crowd-core", type=int, default=1)
    parser.add_argument("--source", default="demo://?faces=1")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--write", action="store_true", help=f"also into {PAGE}")
    options = parser.parse_args()
    machine = this_machine()
    os.sched_setaffinity(0, {options.crowd_core})
    with running(options.source, options.core, options.viewers) as runtime:
        rounds = asyncio.run(all_rounds(runtime, options))
    said = text(
        rounds,
        f"{today()}, {machine}; `{options.source}`, runtime on core {options.core} alone, "
        f"{options.followers} followers and {options.viewers} viewers on core "
        f"{options.crowd_core}, phases of {options.seconds:g} s. "
        f"Command: `{command()}`.",
    )
    print(json.dumps([asdict(each) for each in rounds], indent=2) if options.json else said)
    if options.write:
        put(PAGE, "viewers", said)
    return 0 if all(met for _, met in goals(rounds)) else 1


if __name__ == "__main__":
    sys.exit(main())
