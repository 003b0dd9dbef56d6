"""One status as a screen: a headline, the numbers, stages, cameras and models."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

from edge_runtime.top import figures
from edge_runtime.top.figures import plain
from edge_runtime.web.report import (
    FaceReport,
    Finding,
    GovernorReport,
    LatencyReport,
    Level,
    MachineReport,
    ModelReport,
    SightReport,
    StateReport,
    StatusReport,
)

COLOURS: Final[dict[Level, str]] = {"fine": "green", "watch": "yellow", "act": "red"}
QUIET: Final = "bright_black"

NARROW: Final = 60
"""Columns below which only the most needed of a table is shown."""


class Screen:
    """What is known now; ``problem`` stands on top while nothing new comes."""

    def __init__(self, status: StatusReport, *, url: str, problem: str | None = None) -> None:
        self._status = status
        self._url = url
        self._problem = problem

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield Group(*self._parts(options.max_width < NARROW, options.ascii_only))

    def _parts(self, narrow: bool, ascii_only: bool) -> Iterator[RenderableType]:
        status = self._status
        if self._problem is not None:
            yield Text(f"LOST  {plain(self._problem)}. What follows is old.", style="bold red")
        yield from _headline(status.state)
        yield _about(status, self._url)
        yield Text()
        yield _numbers(status)
        if status.latency_ms:
            yield Text()
            yield _stages(status.latency_ms, narrow, "#" if ascii_only else "█")
        if len(status.cameras) > 1:
            yield Text()
            yield _cameras(status.cameras, narrow)
        yield Text()
        yield _models(status.models, narrow)


def _headline(state: StateReport) -> Iterator[Text]:
    """The state is a word as well: not everybody sees colours, nor has every terminal some."""
    findings: tuple[StateReport | Finding, ...] = (state, *state.others)
    for finding in findings:
        line = Text(f"{finding.level.upper():<5} ", style=f"bold {COLOURS[finding.level]}")
        line.append(plain(finding.sentence), style="bold" if finding is state else "not bold")
        yield line
        if finding.advice:
            yield Text(f"      {plain(finding.advice)}", style="italic")


def _about(status: StatusReport, url: str) -> Text:
    known = [f"edge-runtime {plain(status.version)}", plain(url)]
    if status.machine is not None:
        up = figures.span(status.machine.uptime_s)
        known = [plain(status.machine.board), f"up {up}", *known]
    return Text(" · ".join(known), style=QUIET)


def _numbers(status: StatusReport) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(style=QUIET, no_wrap=True)
    table.add_column(overflow="fold")
    for name, words in _facts(status):
        table.add_row(name, Text(words, style=QUIET if words == figures.UNKNOWN else ""))
    return table


def _facts(status: StatusReport) -> Iterator[tuple[str, str]]:
    if len(status.cameras) == 1:
        yield "camera", plain(f"{status.camera.description} ({status.camera.state})")
        yield "rate", figures.rate(status.rates)
        yield "faces", _faces(status.cameras[0])
    if status.machine is not None:
        yield from _machine(status.machine)
    yield "governor", _governor(status.governor)
    yield "viewers", f"{status.preview.viewers} of {status.preview.max_viewers}"


def _machine(machine: MachineReport) -> Iterator[tuple[str, str]]:
    yield "heat", figures.celsius(machine)
    yield "power", figures.watts(machine.power)
    yield "energy", figures.energy(machine)
    yield "processor", figures.processor(machine)
    yield "memory", figures.memory(machine)


def _faces(sight: SightReport) -> str:
    if sight.frame is None:
        return figures.UNKNOWN
    return ", ".join(
        " ".join([f"#{face.track}", *_called(face), *map(_best, face.labels.values())])
        for face in sight.frame.faces
    ).strip() or ("none" if sight.frame.detected else "none, the detector rests")


def _called(face: FaceReport) -> tuple[str, ...]:
    if face.person is None or face.person.verdict == "unsure":
        return ()
    return (plain(face.person.name or "unknown"),)


def _best(scores: Mapping[str, float]) -> str:
    if not scores:
        return ""
    label = max(scores, key=lambda each: scores[each])
    return f"{plain(label)} {scores[label]:.0%}"


def _governor(governor: GovernorReport) -> str:
    if not governor.level:
        return "gives nothing up"
    return f"level {governor.level}: " + "; ".join(map(plain, governor.reasons))


def _stages(latency: Mapping[str, LatencyReport], narrow: bool, block: str) -> Table:
    table = _table(("stage", "p50 ms", "p95", *(() if narrow else ("p99", ""))))
    longest = max((each.p50 for each in latency.values()), default=0) or 1
    for stage, each in latency.items():
        row = [plain(stage), figures.milliseconds(each.p50), figures.milliseconds(each.p95)]
        if not narrow:
            bar = block * round(24 * each.p50 / longest)
            row += [figures.milliseconds(each.p99), bar]
        table.add_row(*map(Text, row))
    return table


def _cameras(cameras: tuple[SightReport, ...], narrow: bool) -> Table:
    table = _table(("camera", "state", "rate", *(() if narrow else ("faces",))))
    for each in cameras:
        row = [plain(each.name), each.camera.state, figures.rate(each.rates)]
        table.add_row(*map(Text, row if narrow else [*row, _faces(each)]))
        if each.matter:
            table.add_row(Text(), Text(plain(each.matter), style=COLOURS["act"]))
    return table


def _models(models: tuple[ModelReport, ...], narrow: bool) -> Table:
    table = _table(("model", "version", *(() if narrow else ("kind", "size", "backend"))))
    for each in models:
        row = [each.name, each.version]
        if not narrow:
            row += [each.kind, figures.size(each.bytes), each.backend]
        table.add_row(*(Text(plain(word)) for word in row))
    return table


def _table(heads: tuple[str, ...]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style=QUIET, pad_edge=False)
    numbers = {"p50 ms", "p95", "p99", "size"}
    for head in heads:
        table.add_column(head, justify="right" if head in numbers else "left")
    return table
