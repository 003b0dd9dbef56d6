"""Findings as lines for people or as JSON."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict

from edge_runtime.doctor.finding import Finding, State
from edge_runtime.types import JsonObject

SIGNS: dict[State, str] = {"fine": "✓", "watch": "!", "act": "✗", "unknown": "?"}
ASCII_SIGNS: dict[State, str] = {"fine": "+", "watch": "!", "act": "x", "unknown": "?"}
COLOURS: dict[State, str] = {"fine": "green", "watch": "yellow", "act": "red", "unknown": "cyan"}

_NAME_WIDTH = 18


def lines_of(finding: Finding, *, sign: str, width: int = 80) -> str:
    """``✗ power supply      under-voltage now``, the remedy indented below."""
    indent = " " * (_NAME_WIDTH + 3)
    first = f"{sign} {finding.name:<{_NAME_WIDTH}} "
    body = _wrapped(finding.text, first, indent, width)
    if finding.remedy is None:
        return body
    return f"{body}\n{_wrapped(finding.remedy, f'{indent}-> ', f'{indent}   ', width)}"


def summary_of(findings: Sequence[Finding]) -> str:
    """``20 fine, 2 to watch, 1 to act on, 3 unknown``."""
    counts = Counter(finding.state for finding in findings)
    return (
        f"{counts['fine']} fine, {counts['watch']} to watch, "
        f"{counts['act']} to act on, {counts['unknown']} unknown"
    )


def json_of(findings: Sequence[Finding]) -> JsonObject:
    """``{"findings": [{"name", "state", "text", "remedy"}…], "counts": {state: number}}``."""
    counts = Counter(finding.state for finding in findings)
    return {
        "findings": [asdict(finding) for finding in findings],
        "counts": {state: counts[state] for state in SIGNS},
    }


def exit_code_of(findings: Sequence[Finding]) -> int:
    """0 when nothing has to be done, else 1."""
    return int(any(finding.state == "act" for finding in findings))


def _wrapped(text: str, first: str, rest: str, width: int) -> str:
    return textwrap.fill(
        text,
        max(width, len(rest) + 30),
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    )
