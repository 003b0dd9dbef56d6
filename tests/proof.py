"""Checks of a whole system: a line for each on the terminal, all of them as JUnit XML at the end.

pytest runs what takes milliseconds and stands alone. Here a check may take minutes, comes after
others on the same machine, and its figure matters as much as its verdict.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar
from xml.etree import ElementTree as Xml

Subject = TypeVar("Subject")
Check = Callable[[Subject], str]
"""Does something to the subject; returns the figure, or raises Unmet."""


class Unmet(AssertionError):
    """The system did not do what a check expects; the sentence says what it did instead."""


def expect(condition: object, otherwise: str) -> None:
    """Raise Unmet with ``otherwise``, unless ``condition`` holds."""
    if not condition:
        raise Unmet(otherwise)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one check."""

    name: str
    passed: bool
    said: str
    """The figure, or what was found in place of what was expected."""
    took_s: float

    def about(self, subject: str) -> Outcome:
        """The same, named after what it was found on."""
        return replace(self, name=f"{self.name} ({subject})")

    def __str__(self) -> str:
        return f"{'ok  ' if self.passed else 'FAIL'} {self.took_s:6.1f} s  {self.name}: {self.said}"


def prove(
    checks: Sequence[Check[Subject]],
    subject: Subject,
    *,
    say: Callable[[str], object] = print,
    keep: Callable[[Sequence[Outcome]], object] = len,
    clock: Callable[[], float] = time.monotonic,
) -> tuple[Outcome, ...]:
    """Every check, in order, also after one failed: what comes later says more about why.

    ``keep`` gets all outcomes so far after each: a run that is cut short has its results.
    """
    outcomes: list[Outcome] = []
    for check in checks:
        outcomes.append(_outcome(check, subject, clock))
        say(str(outcomes[-1]))
        keep(outcomes)
    return tuple(outcomes)


def _outcome(check: Check[Subject], subject: Subject, clock: Callable[[], float]) -> Outcome:
    began = clock()
    # A machine that no longer answers (OSError) or answers nonsense (ValueError) fails the check.
    try:
        passed, said = True, check(subject)
    except (Unmet, OSError, ValueError, LookupError) as error:
        passed, said = False, str(error) or type(error).__name__
    return Outcome(title_of(check), passed, " ".join(said.split()), clock() - began)


def title_of(check: Check[Subject]) -> str:
    """The first line of a check's docstring, as it stands in reports."""
    return (check.__doc__ or "").strip().partition("\n")[0].rstrip(".")


def write_junit(file: Path, suite: str, outcomes: Sequence[Outcome]) -> None:
    """What CI systems read; the figures go along as each case's output."""
    failures = sum(not outcome.passed for outcome in outcomes)
    counts = {"name": suite, "tests": str(len(outcomes)), "failures": str(failures)}
    root = Xml.Element("testsuite", counts)
    for outcome in outcomes:
        took = f"{outcome.took_s:.1f}"
        case = Xml.SubElement(root, "testcase", classname=suite, name=outcome.name, time=took)
        if outcome.passed:
            Xml.SubElement(case, "system-out").text = outcome.said
        else:
            Xml.SubElement(case, "failure", message=outcome.said)
    Xml.indent(root)
    file.parent.mkdir(parents=True, exist_ok=True)
    Xml.ElementTree(root).write(file, encoding="utf-8", xml_declaration=True)


def read_junit(file: Path) -> tuple[Outcome, ...]:
    """As ``write_junit`` wrote them."""
    return tuple(_read_case(case) for case in Xml.parse(file).getroot().iter("testcase"))


def _read_case(case: Xml.Element) -> Outcome:
    failure = case.find("failure")
    said = case.findtext("system-out", "") if failure is None else failure.get("message", "")
    return Outcome(case.get("name", ""), failure is None, said, float(case.get("time", "0")))


def exit_code_of(outcomes: Sequence[Outcome]) -> int:
    """0 when all passed. Nothing checked is nothing proven."""
    return 0 if outcomes and all(outcome.passed for outcome in outcomes) else 1
