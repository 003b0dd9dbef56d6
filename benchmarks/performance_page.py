"""Figures into docs/performance.md: what stands between a pair of markers is a script's."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Final

PAGE: Final = Path("docs/performance.md")
RESULTS: Final = Path("benchmarks/results")


def replaced(text: str, name: str, inner: str) -> str:
    """``text`` with ``inner`` between the markers of ``name``.

    Raises ValueError when the text does not have both, in order, once.
    """
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    before, found, rest = text.partition(begin)
    _, closed, after = rest.partition(end)
    if not found or not closed or begin in rest or end in after:
        raise ValueError(f"expected one {begin} and then one {end}")
    return f"{before}{begin}\n{inner.strip()}\n{end}{after}"


def put(page: Path, name: str, inner: str) -> None:
    """Write a script's part of the page."""
    page.write_text(replaced(page.read_text("utf-8"), name, inner), "utf-8")


def today() -> str:
    return datetime.now(UTC).date().isoformat()


def cell(value: float | None, digits: int = 2) -> str:
    """A table's cell; what is unknown is no 0."""
    return "-" if value is None else f"{value:,.{digits}f}"
