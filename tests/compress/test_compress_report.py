"""The report: figures as measured, a page that needs nothing else, time left that is told."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_runtime.compress.confidence import Share
from edge_runtime.compress.plots import Point, bars, scatter, short
from edge_runtime.compress.progress import Progress, clock_text
from edge_runtime.compress.report import card, report_html
from edge_runtime.types import JsonObject


def stage(number: int, do: str, size: int, container: int | None) -> JsonObject:
    latency = {str(t): {"median": 0.5 * t, "p95": 0.9, "runs": 10} for t in range(1, 5)}
    return {
        "number": number,
        "do": do,
        "seconds": 1.0,
        "parameters": 12345,
        "macs": 6789,
        "layers": [{"name": "0<b>", "weights": 500, "sparsity": 0.25, "index_bits": 11, "macs": 1}],
        "accuracy": Share(90, 100).as_json(),
        "file": {
            "tflite_bytes": size,
            "container_bytes": container,
            "weight_bits": 8,
            "accuracy": Share(88, 100).as_json(),
            "latency_ms": latency,
            "peak_memory_kib": 9000,
            "peak_memory_of_model_kib": 700,
        },
    }


REPORT: JsonObject = {
    "name": "tiny <net>",
    "description": "A & B.",
    "seed": 1,
    "sha256": "ab" * 32,
    "machine": "here",
    "measure": "average precision",
    "stages": [stage(1, "train", 40_000, None), stage(2, "pack", 12_000, 3_000)],
}


def test_the_page_shows_sizes_apart_and_needs_nothing_else() -> None:
    page = report_html(REPORT)
    for figure in ("12,000", "3,000", "9000 / 700", "0.5 / 1.0 / 1.5 / 2.0", "88.00 % (80.19"):
        assert figure in page
    assert "tiny &lt;net&gt;" in page
    assert "0&lt;b&gt;" in page
    assert "average precision, 95 % interval" in page
    assert "Average precision against latency" in page
    assert "8 bits" in page  # an index would need 11, the file's weights have 8
    assert "http" not in page
    assert "<script" not in page
    assert page.count("<svg") == 6


def test_plots_are_sound_xml_with_a_dot_for_each_stage() -> None:
    points = [Point("a", 10.0, 0.9, 0.8, 0.95), Point("b <c>", 1000.0, 0.99, 0.98, 1.0)]
    drawn = ET.fromstring(scatter(points, x_label="bytes", y_label="accuracy"))
    assert len(drawn.findall("circle")) == 2
    assert len(ET.fromstring(bars([("x", 0.5, "half")], title="t")).findall("rect")) == 1


def test_one_point_is_a_plot_too() -> None:
    drawn = ET.fromstring(scatter([Point("a", 5.0, 1.0, 1.0, 1.0)], x_label="x", y_label="y"))
    assert len(drawn.findall("circle")) == 1
    assert "nothing" in scatter([], x_label="x", y_label="y")


def test_the_card_is_a_table_of_the_stages() -> None:
    text = card(REPORT, "## Limits\n\nIt is blind at night.\n")
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert len(rows) == 4
    assert len({row.count("|") for row in rows}) == 1
    assert "12,000 bytes, SHA-256 `abab" in text
    assert text.endswith("\n## Limits\n\nIt is blind at night.\n")


def test_numbers_are_short() -> None:
    assert [short(v) for v in (1234, 0.123456, 5_600_000, 2e9)] == [
        "1.23 k",
        "0.123",
        "5.6 M",
        "2 G",
    ]


def test_the_interval_is_wilsons() -> None:
    assert list(Share(90, 100).interval) == pytest.approx([0.8256, 0.9448], abs=1e-4)


@given(st.integers(1, 10_000), st.data())
def test_the_interval_holds_the_share_and_stays_within_bounds(
    total: int, data: st.DataObject
) -> None:
    share = Share(data.draw(st.integers(0, total)), total)
    low, high = share.interval
    assert 0 <= low <= share.value + 1e-12
    assert share.value - 1e-12 <= high <= 1


class Line:
    """A terminal and a clock."""

    def __init__(self) -> None:
        self.now, self.text = 0.0, ""

    def write(self, text: str) -> None:
        self.text += text


def test_time_left_follows_the_work_done() -> None:
    line = Line()
    stages = [("train", 2.0), ("pack", 0.5)]
    bar = Progress(stages, write=line.write, redraw=True, clock=lambda: line.now)
    bar.begin(1)
    assert bar.left_s() is None
    bar.advance(0.01)
    line.now = 10.0
    bar.advance(0.5)  # one unit in 10 s; 1.5 are left
    assert bar.left_s() == pytest.approx(15.0)
    assert "1/2 train [############............]  50% 0:15 left" in line.text
    line.now = 20.0
    bar.end("done")
    bar.begin(2)
    assert bar.left_s() == pytest.approx(5.0)


def test_a_resumed_stage_is_judged_by_its_own_time() -> None:
    line = Line()
    stages = [("train", 10.0)]
    bar = Progress(stages, write=line.write, redraw=True, clock=lambda: line.now)
    bar.begin(1)
    bar.advance(0.5)
    line.now = 10.0
    bar.advance(0.6)  # a tenth took 10 s, four tenths are left
    assert bar.left_s() == pytest.approx(40.0)


def test_a_log_gets_lines_now_and_then() -> None:
    line = Line()
    bar = Progress([("train", 1.0)], write=line.write, redraw=False, clock=lambda: line.now)
    bar.begin(1)
    for step in range(100):
        line.now = float(step)
        bar.advance(step / 100)
    bar.end("99.00 % right")
    assert "\r" not in line.text
    assert 4 <= line.text.count("\n") <= 6
    assert line.text.endswith("1/1 train: 99.00 % right\n")


def test_durations_read_like_a_clock() -> None:
    assert [clock_text(s) for s in (5, 65, 3725)] == ["0:05", "1:05", "1:02:05"]
