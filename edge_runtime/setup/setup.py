"""``edge.conf`` read, each wish checked and applied on its own, and noted in the file."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from edge_runtime.doctor.settings import SETUP_REPORT
from edge_runtime.errors import ConfigError, EdgeRuntimeError, OutputUnwritable
from edge_runtime.setup import conf, led
from edge_runtime.setup.camera import CAMERA
from edge_runtime.setup.conf import Line
from edge_runtime.setup.hostname import HOSTNAME
from edge_runtime.setup.model import MODEL
from edge_runtime.setup.ssh import SSH_KEY
from edge_runtime.setup.step import Step
from edge_runtime.setup.system import System
from edge_runtime.setup.token import TOKEN
from edge_runtime.setup.wifi import WIFI

logger = logging.getLogger(__name__)

STEPS: Final = (HOSTNAME, WIFI, SSH_KEY, CAMERA, MODEL, TOKEN)
"""In this order: the link of a token has the host name in it."""


@dataclass(frozen=True, slots=True)
class Wish:
    """Lines that belong together, and who takes care of them."""

    step: Step
    lines: tuple[Line, ...]

    @property
    def values(self) -> dict[str, str]:
        return {line.key: line.value for line in self.lines if line.key is not None}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a line that is there to do something, or of several together."""

    lines: tuple[Line, ...]
    done: str | None = None
    problem: str | None = None
    """One sentence without secrets; None: it was applied."""

    def __str__(self) -> str:
        if self.problem is None:
            return f"edge.conf: {self.done}"
        return f"edge.conf line {self.lines[0].number}: {self.problem}"


def check(file: Path) -> tuple[Outcome, ...]:
    """What can be said of a file without a board. Raises ConfigError when it cannot be read."""
    return tuple(_outcomes(_lines(file), None))


def set_up(file: Path, system: System) -> tuple[Outcome, ...]:
    """Apply what can be applied, and write into the file what was and what could not be.

    Nothing is lost: a line that could not be used stays, and is tried again at the next start.
    Raises ConfigError when the file cannot be read, OutputUnwritable when it cannot be written.
    """
    lines = _lines(file)
    outcomes = tuple(_outcomes(lines, system))
    if outcomes:
        _write(file, lines, outcomes, system)
    _report(outcomes, system)
    return outcomes


def _lines(file: Path) -> tuple[Line, ...]:
    try:
        if file.stat().st_size > conf.LARGEST:
            raise ConfigError(f"{file} has over {conf.LARGEST >> 10} KiB, so it is no edge.conf")
        return conf.read(file.read_bytes())
    except OSError as error:
        raise ConfigError(f"{file} cannot be read: {error.strerror}") from error


def _outcomes(lines: Sequence[Line], system: System | None) -> Iterator[Outcome]:
    for line in lines:
        if line.problem is not None:
            yield Outcome((line,), problem=line.problem)
    for wish in _wishes(lines):
        try:
            wish.step.check(wish.values)
            done = "is right" if system is None else wish.step.apply(wish.values, system)
        except EdgeRuntimeError as error:
            yield Outcome(wish.lines, problem=str(error))
        else:
            yield Outcome(wish.lines, done=done)


def _wishes(lines: Sequence[Line]) -> Iterator[Wish]:
    for step in STEPS:
        ours = tuple(line for line in lines if line.wishes and line.key in step.keys)
        if len(step.keys) > 1:
            yield from [Wish(step, ours)] if ours else []
        else:
            yield from (Wish(step, (line,)) for line in ours)


def _write(file: Path, lines: Sequence[Line], outcomes: Sequence[Outcome], system: System) -> None:
    applied = [line.number for each in outcomes if each.problem is None for line in each.lines]
    problems = {each.lines[0].number: each.problem for each in outcomes if each.problem}
    try:
        system.write(file, conf.written(lines, applied, problems))
    except EdgeRuntimeError as error:
        raise OutputUnwritable(
            f"what was applied could not be noted, so all of it is applied again at the next "
            f"start: {error}"
        ) from error


def _report(outcomes: Sequence[Outcome], system: System) -> None:
    """Until the next start the doctor, and so the page, says it too."""
    problems = [str(each) for each in outcomes if each.problem is not None]
    system.write(system.at(SETUP_REPORT), "".join(f"{line}\n" for line in problems))
    if problems:
        led.blink(system)
