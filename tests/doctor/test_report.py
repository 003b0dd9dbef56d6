from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from edge_runtime.doctor.examination import examine
from edge_runtime.doctor.finding import Finding
from edge_runtime.doctor.report import (
    ASCII_SIGNS,
    COLOURS,
    SIGNS,
    exit_code_of,
    json_of,
    lines_of,
    summary_of,
)
from tests.doctor.conftest import Bench, Node, plan_of
from tests.telemetry.recorded import BOARDS

MakeBench = Callable[[str], Bench]

HOT = Finding("temperature", "act", "83 °C", "give it a fan")
COOL = Finding("temperature", "fine", "40 °C")


def test_a_line_and_its_remedy() -> None:
    assert lines_of(HOT, sign="✗") == (
        "✗ temperature        83 °C\n                     -> give it a fan"
    )


def test_long_texts_are_wrapped_under_themselves() -> None:
    text = " ".join(["word"] * 40)
    lines = lines_of(Finding("disk", "watch", text, text), sign="!", width=80).splitlines()
    assert len(lines) > 4
    assert all(len(line) <= 80 for line in lines)
    assert all(line.startswith(" " * 21) for line in lines[1:])


def test_every_state_has_a_sign_and_ascii_stays_ascii() -> None:
    assert SIGNS.keys() == ASCII_SIGNS.keys() == COLOURS.keys()
    assert all(sign.isascii() for sign in ASCII_SIGNS.values())


def test_only_what_needs_acting_fails() -> None:
    assert exit_code_of([COOL, Finding("a", "watch", ""), Finding("b", "unknown", "")]) == 0
    assert exit_code_of([COOL, HOT]) == 1


def test_summary_and_json_count_alike() -> None:
    assert summary_of([HOT, COOL]) == "1 fine, 0 to watch, 1 to act on, 0 unknown"
    assert json_of([HOT, COOL])["counts"] == {"fine": 1, "watch": 0, "act": 1, "unknown": 0}
    first = json.loads(json.dumps(json_of([HOT])))["findings"][0]
    assert first == {
        "name": "temperature",
        "state": "act",
        "text": "83 °C",
        "remedy": "give it a fan",
    }


@pytest.mark.parametrize("board", BOARDS)
def test_every_board_is_examined_from_top_to_bottom(bench: MakeBench, board: str) -> None:
    made = bench(board)
    made.nodes = (Node(),)
    found = list(examine(made.machine(), plan_of()))
    names = [finding.name for finding in found]
    assert len(names) == len(set(names))
    assert {"python", "temperature", "disk", "clock", "config", "port"} <= set(names)
    assert all(finding.remedy for finding in found if finding.state in ("watch", "act"))
    assert ("picamera2" in names) == (board != "x86-laptop")


def test_a_laptop_in_order_has_nothing_to_act_on(bench: MakeBench) -> None:
    made = bench("x86-laptop")
    made.nodes = (Node(),)
    found = list(examine(made.machine(), plan_of()))
    assert [finding for finding in found if finding.state != "fine"] == []
