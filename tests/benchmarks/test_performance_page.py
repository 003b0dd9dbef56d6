"""What a script writes into the page, and the pictures beside it."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from benchmarks.performance_page import PAGE, cell, replaced
from benchmarks.plots import Curve, Plot, ceiling, svg

TEXT = "before\n<!-- a: begin -->\nold\n<!-- a: end -->\nafter\n"


def test_only_what_stands_between_the_markers_changes() -> None:
    wanted = "before\n<!-- a: begin -->\nnew\n<!-- a: end -->\nafter\n"
    assert replaced(TEXT, "a", "\nnew\n\n") == wanted
    assert replaced(wanted, "a", "new") == wanted


@pytest.mark.parametrize("text", ["", TEXT + TEXT, TEXT.replace("<!-- a: end -->", "")])
def test_a_page_without_its_markers_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected one"):
        replaced(text, "a", "new")


def test_the_page_has_the_markers_of_both_scripts(repository: Path) -> None:
    text = (repository / PAGE).read_text()
    assert replaced(replaced(text, "peers", "x"), "growth", "y") != text


def test_what_is_unknown_is_no_zero() -> None:
    assert (cell(None), cell(0.0), cell(1234.5, 1)) == ("-", "0.00", "1,234.5")


@pytest.mark.parametrize(
    ("value", "round_one"), [(0.0, 1), (0.3, 0.5), (1.0, 1), (2.1, 2.5), (7.0, 10), (41.0, 50)]
)
def test_an_axis_ends_at_a_round_number(value: float, round_one: float) -> None:
    assert ceiling(value) == pytest.approx(round_one)


def plot(*, logarithmic: bool) -> Plot:
    curves = [Curve("a < b", [(1, 1.0), (10, 2.0), (100, 4.0)]), Curve("c", [(1, 0.0), (100, 1.0)])]
    ticks = [(1.0, "1"), (100.0, "100")]
    return Plot("A plot", "x", "y", curves, ticks, logarithmic=logarithmic, goal=(3.0, "enough"))


def dots(picture: str) -> list[tuple[float, float]]:
    """Places of the first curve's points, without its dot in the legend."""
    line = next(each for each in ElementTree.fromstring(picture).iter() if "polyline" in each.tag)
    pairs = (pair.split(",") for pair in line.attrib["points"].split())
    return [(float(x), float(y)) for x, y in pairs]


def test_a_plot_keeps_proportions() -> None:
    (x0, y0), (x1, y1), (x2, y2) = dots(svg(plot(logarithmic=True)))
    assert x2 - x1 == pytest.approx(x1 - x0, abs=0.2)
    assert y1 - y2 == pytest.approx(2 * (y0 - y1), abs=0.2)
    x0, x1, x2 = (x for x, _ in dots(svg(plot(logarithmic=False))))
    assert x2 - x1 == pytest.approx(10 * (x1 - x0), abs=2)


def test_a_plot_says_what_it_shows() -> None:
    text = " ".join(ElementTree.fromstring(svg(plot(logarithmic=True))).itertext())
    assert all(words in text for words in ("A plot", "a < b", "enough", "100"))
