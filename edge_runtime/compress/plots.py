"""Small SVG plots: points with names, and bars. No library, no script, follows dark mode."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 560, 300
LEFT, RIGHT, TOP, BOTTOM = 64, 16, 16, 44
BAR_HEIGHT = 22


@dataclass(frozen=True, slots=True)
class Point:
    """One measurement; ``low`` and ``high`` are its confidence interval."""

    name: str
    x: float
    y: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class _Axis:
    """From values to pixels."""

    least: float
    most: float
    start: float
    end: float
    logarithmic: bool = False

    def place(self, value: float) -> float:
        low, high, value = (self._scaled(v) for v in (self.least, self.most, value))
        return self.start + (value - low) / (high - low) * (self.end - self.start)

    def ticks(self) -> list[float]:
        low, high = self._scaled(self.least), self._scaled(self.most)
        found = [low + (high - low) * step / 4 for step in range(5)]
        return [10**v for v in found] if self.logarithmic else found

    def _scaled(self, value: float) -> float:
        return math.log10(value) if self.logarithmic else value


def scatter(points: Sequence[Point], *, x_label: str, y_label: str) -> str:
    """An SVG of the points, x logarithmic, joined in their order; y in percent."""
    if not points:
        return "<p>nothing was measured</p>"
    across = _x_axis([p.x for p in points])
    up = _y_axis([v for p in points for v in (p.low, p.high)])
    way = " ".join(f"{across.place(p.x):.1f},{up.place(p.y):.1f}" for p in points)
    parts = [
        *(_x_tick(across, value) for value in across.ticks()),
        *(_y_tick(up, value) for value in up.ticks()),
        f'<polyline class="way" points="{way}"/>',
        *(_dot(number, p, across, up) for number, p in enumerate(points, 1)),
        f'<text class="label" x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 6}">{escape(x_label)}'
        "</text>",
    ]
    return _svg(WIDTH, HEIGHT, f"{y_label} against {x_label}", parts)


def bars(rows: Sequence[tuple[str, float, str]], *, title: str) -> str:
    """An SVG of horizontal bars: name, share 0 to 1, words at its end."""
    height = BAR_HEIGHT * len(rows) + 8
    parts = [_bar(number, *row) for number, row in enumerate(rows)]
    return _svg(WIDTH, height, title, parts)


def short(value: float) -> str:
    """``1.2 M``, ``34 k``, ``0.56``: three figures."""
    for limit, sign in ((1e9, " G"), (1e6, " M"), (1e3, " k")):
        if abs(value) >= limit:
            return f"{value / limit:.3g}{sign}"
    return f"{value:.3g}"


def _svg(width: int, height: int, title: str, parts: Sequence[str]) -> str:
    inside = "\n".join(parts)
    return (
        f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{escape(title)}">'
        f"<title>{escape(title)}</title>\n{inside}\n</svg>"
    )


def _x_axis(values: Sequence[float]) -> _Axis:
    low, high = min(values) / 1.3, max(values) * 1.3
    return _Axis(low, high, LEFT, WIDTH - RIGHT, logarithmic=True)


def _y_axis(values: Sequence[float]) -> _Axis:
    low, high = min(values), max(values)
    room = max((high - low) * 0.1, 0.002)
    return _Axis(max(0.0, low - room), min(1.0, high + room), HEIGHT - BOTTOM, TOP)


def _x_tick(axis: _Axis, value: float) -> str:
    x = axis.place(value)
    line = f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}"/>'
    words = f'<text class="tick" x="{x:.1f}" y="{HEIGHT - BOTTOM + 15}">{short(value)}</text>'
    return line + words


def _y_tick(axis: _Axis, value: float) -> str:
    y = axis.place(value)
    line = f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
    return f'{line}<text class="side" x="{LEFT - 6}" y="{y + 4:.1f}">{100 * value:.2f} %</text>'


def _dot(number: int, point: Point, across: _Axis, up: _Axis) -> str:
    x, y = across.place(point.x), up.place(point.y)
    whisker = (
        f'<line class="whisker" x1="{x:.1f}" x2="{x:.1f}" '
        f'y1="{up.place(point.low):.1f}" y2="{up.place(point.high):.1f}"/>'
    )
    words = f"{number} {point.name}: {short(point.x)}, {100 * point.y:.2f} %"
    return (
        f"{whisker}<circle cx='{x:.1f}' cy='{y:.1f}' r='4'><title>{escape(words)}</title></circle>"
        f"<text class='name' x='{x + 7:.1f}' y='{y - 6:.1f}'>{number}</text>"
    )


def _bar(number: int, name: str, share: float, words: str) -> str:
    y, room = 4 + number * BAR_HEIGHT, WIDTH - 2 * 170
    length = max(1.0, share * room)
    return (
        f'<text class="side" x="160" y="{y + 14}">{escape(name)}</text>'
        f'<rect x="170" y="{y + 3}" width="{length:.1f}" height="{BAR_HEIGHT - 8}"/>'
        f'<text class="words" x="{176 + length:.1f}" y="{y + 14}">{escape(words)}</text>'
    )
