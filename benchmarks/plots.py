"""Curves as plain SVG for Markdown pages: no library, no script, readable on dark pages too."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from typing import Final, NamedTuple

WIDTH, HEIGHT = 640, 360
LEFT, RIGHT, TOP, BOTTOM = 64, 36, 44, 56
STEPS: Final = (1.0, 2.0, 2.5, 5.0, 10.0)

STYLE: Final = (
    "text{font:13px sans-serif;fill:#333}.title{font-size:15px;font-weight:bold}"
    ".side{text-anchor:end}.under{text-anchor:middle}.grid{stroke:#ddd}"
    "polyline{fill:none;stroke-width:2}.a{stroke:#0b6fb8}.b{stroke:#c2571a}"
    "circle.a{fill:#0b6fb8}circle.b{fill:#c2571a}.back{fill:#fff}"
    ".goal{stroke:#888;stroke-dasharray:5 4}"
)


class Curve(NamedTuple):
    """Points in the order they are joined."""

    name: str
    points: Sequence[tuple[float, float]]


class Plot(NamedTuple):
    """What a picture shows."""

    title: str
    x_label: str
    y_label: str
    curves: Sequence[Curve]
    ticks: Sequence[tuple[float, str]]
    """Where the x axis is marked, and with what."""
    logarithmic: bool = False
    goal: tuple[float, str] | None = None
    """A height not to be passed, and its name."""


def svg(plot: Plot) -> str:
    """The picture; y begins at 0."""
    top = ceiling(
        max(
            [y for curve in plot.curves for _, y in curve.points]
            + ([plot.goal[0]] if plot.goal else [])
        )
    )
    across = _across(plot)
    parts = [
        f'<rect class="back" width="{WIDTH}" height="{HEIGHT}"/>',
        f'<text class="title" x="{LEFT}" y="20">{escape(plot.title)}</text>',
        *(_level(top * step / 4, top) for step in range(5)),
        *(_tick(across(x), words) for x, words in plot.ticks),
        f'<text class="under" x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 10}">'
        f"{escape(plot.x_label)}</text>",
        f'<text x="{LEFT}" y="37">{escape(plot.y_label)}</text>',
    ]
    if plot.goal:
        parts.append(_goal(*plot.goal, top))
    for number, curve in enumerate(plot.curves):
        parts += _curve(curve, "ab"[number % 2], number, [across(x) for x, _ in curve.points], top)
    inside = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="{escape(plot.title)}">\n<style>{STYLE}</style>\n{inside}\n</svg>\n'
    )


def ceiling(value: float) -> float:
    """The next round number that is no less."""
    if value <= 0:
        return 1.0
    power = math.pow(10, math.floor(math.log10(value)))
    return next((step * power for step in STEPS if step * power >= value), 10 * power)


class _Scale(NamedTuple):
    low: float
    high: float
    logarithmic: bool

    def __call__(self, x: float) -> float:
        low, high, x = (math.log10(v) if self.logarithmic else v for v in (*self[:2], x))
        room = WIDTH - LEFT - RIGHT - 24
        return LEFT + 12 + (x - low) / ((high - low) or 1.0) * room


def _across(plot: Plot) -> _Scale:
    values = [x for curve in plot.curves for x, _ in curve.points]
    return _Scale(min(values), max(values), plot.logarithmic)


def _up(y: float, top: float) -> float:
    return HEIGHT - BOTTOM - y / top * (HEIGHT - TOP - BOTTOM)


def _level(value: float, top: float) -> str:
    y = _up(value, top)
    return (
        f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        f'<text class="side" x="{LEFT - 8}" y="{y + 4:.1f}">{value:.3g}</text>'
    )


def _tick(x: float, words: str) -> str:
    return f'<text class="under" x="{x:.1f}" y="{HEIGHT - BOTTOM + 20}">{escape(words)}</text>'


def _goal(value: float, words: str, top: float) -> str:
    y = _up(value, top)
    return (
        f'<line class="goal" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        f'<text class="side" x="{WIDTH - RIGHT}" y="{y - 5:.1f}">{escape(words)}</text>'
    )


def _curve(curve: Curve, kind: str, number: int, xs: Sequence[float], top: float) -> list[str]:
    dots = [(x, _up(y, top), y) for x, (_, y) in zip(xs, curve.points, strict=True)]
    way = " ".join(f"{x:.1f},{y:.1f}" for x, y, _ in dots)
    parts = [f'<polyline class="{kind}" points="{way}"/>']
    parts += [
        f'<circle class="{kind}" cx="{x:.1f}" cy="{y:.1f}" r="4">'
        f"<title>{value:.3g}</title></circle>"
        for x, y, value in dots
    ]
    left, top_ = WIDTH - RIGHT - 250, 20 + 17 * number
    parts.append(
        f'<circle class="{kind}" cx="{left}" cy="{top_ - 5}" r="4"/>'
        f'<text x="{left + 10}" y="{top_}">{escape(curve.name)}</text>'
    )
    return parts
