"""Ratios, recall, goals and the table, from answers that were made up."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.peer_figures import (
    Goal,
    Kind,
    Turn,
    false_faces,
    goals,
    hit,
    least,
    recall,
    row,
    times,
)
from benchmarks.peer_table import table
from benchmarks.peers import plays
from edge_runtime.types import Box

FACE = Box(100, 100, 50, 60)


def answer(cpu: float, boxes: list[list[Box]], **more: Any) -> dict[str, Any]:
    """Every frame costs ``cpu`` in all, and three quarters of it alone."""
    count = len(boxes)
    return {
        "wall_ms": [cpu * 2] * count,
        "cpu_ms": [cpu] * count,
        "alone_wall_ms": [cpu * 1.5] * count,
        "alone_cpu_ms": [cpu * 0.75] * count,
        "boxes": boxes,
        "invoke_ms": [],
        "memory_mib": 50.0,
    } | more


def turn(kind: Kind, ours: float, peer: float, boxes: list[list[Box]] | None = None) -> Turn:
    boxes = [[FACE], [FACE]] if boxes is None else boxes
    truth = (FACE,) * len(boxes) if kind == "face" else (None,) * len(boxes)
    mine = answer(ours, boxes, invoke_ms=[ours / 2] * len(boxes))
    return Turn(kind, truth, {"ours": mine, "mediapipe": answer(peer, boxes)})


def test_a_ratio_is_taken_within_each_turn() -> None:
    # The second turn was twice as slow for both, which must not show.
    turns = [turn("face", 0.5, 5.0), turn("face", 1.0, 10.0), turn("face", 0.5, 6.0)]
    found = times(turns, "mediapipe", "cpu_ms", "ours", "cpu_ms")
    assert found is not None
    assert found["median"] == 10.0
    assert found["p95"] == pytest.approx(11.8)


def test_the_quickest_turn_is_one_s_own() -> None:
    turns = [turn("face", 0.5, 8.0), turn("face", 1.0, 4.0), turn("still", 0.1, 0.1)]
    assert least(turns, "ours", "cpu_ms") == 0.5
    assert least(turns, "mediapipe", "alone_cpu_ms") == 3.0


def test_a_ratio_needs_frames_with_a_face() -> None:
    assert times([turn("still", 1, 2)], "mediapipe", "cpu_ms", "ours", "cpu_ms") is None


@pytest.mark.parametrize(
    ("box", "is_it"),
    [(FACE, True), (FACE._replace(x=120), True), (FACE._replace(x=130), False)],
)
def test_a_face_is_found_where_boxes_overlap(box: Box, is_it: bool) -> None:
    assert hit([Box(0, 0, 9, 9), box], FACE) is is_it


def test_recall_counts_frames_and_leaves_out_what_nobody_knows() -> None:
    boxes = [[FACE], [Box(0, 0, 9, 9)], [], [FACE]]
    shown = Turn("face", (FACE, FACE, FACE, None), {"ours": answer(1, boxes)})
    assert recall("ours", [shown]) == {"frames": 4, "any": 0.75, "known": 3, "overlap": 0.3333}


def test_recall_is_unknown_without_truth() -> None:
    shown = Turn("face", (None,), {"ours": answer(1, [[FACE]])})
    assert recall("ours", [shown]) is None


def test_false_faces_are_counted_in_empty_rooms_only() -> None:
    turns = [turn("face", 1, 2), turn("empty", 1, 2, [[], [FACE, FACE], [FACE]])]
    assert false_faces("ours", turns) == {"frames": 3, "faces": 3, "frames_with": 2}
    assert false_faces("ours", turns[:1]) is None


def test_a_row_says_none_for_what_was_not_shown() -> None:
    found = row("ours", [turn("face", 0.5, 5.0)])
    assert found["wall_ms"] == {"p50": 1.0, "p95": 1.0}
    assert (found["cpu_ms"], found["still_cpu_ms"], found["false_faces"]) == (0.5, None, None)
    assert found["times_ours"]["median"] == 1.0


def test_goals_compare_a_whole_frame_with_a_detector_alone() -> None:
    turns = [turn("face", 1.0, 8.0), turn("still", 0.05, 8.0)]
    rival, overhead, still = goals(turns, ["ours", "mediapipe"])
    # 8 ms, of which the detector alone is 6.
    assert rival.met
    assert rival.got.startswith("1/6.0 of its processor time")
    # 1.5 ms on the wall, of which 0.5 are the interpreters'.
    assert overhead == Goal(overhead.wanted, "1.000 ms on top of 0.500 ms, 200%", False)
    assert still.met
    assert still.got.startswith("5%")


def test_goals_are_missed_by_less() -> None:
    turns = [turn("face", 1.0, 7.0), turn("still", 0.2, 7.0)]
    assert [goal.met for goal in goals(turns, ["mediapipe"])] == [False, False, False]


def test_the_table_shows_what_is_unknown_as_such() -> None:
    turns = [turn("face", 0.5, 5.0), turn("empty", 0.5, 5.0, [[], []])]
    rows = [
        {"name": name, "title": name, "library": "a library 1.0", "energy_mj": None}
        | row(name, turns)
        for name in ("ours", "mediapipe")
    ]
    report = {
        "date": "2026-01-02",
        "machine": "a board",
        "cores": "1",
        "command": "python -m benchmarks.peers",
        "turns": {"face": 1, "still": 0, "empty": 1},
        "rows": rows,
        "goals": [Goal("a goal", "a figure", False)._asdict()],
        "left_out": [{"title": "another", "reason": "it is not here"}],
    }
    lines = table(report).splitlines()
    heads, ours, peer = (lines[at].strip("|").split("|") for at in (2, 4, 5))
    assert len(heads) == len(ours) == len(peer)
    assert [cell.strip() for cell in ours[1:6]] == ["1.00", "1.00", "-", "0.50", "1"]
    assert [cell.strip() for cell in peer[1:6]] == [
        "10.00",
        "10.00",
        "7.50",
        "5.00",
        "10.0 (10.0 to 10.0)",
    ]
    assert [cell.strip() for cell in peer[6:]] == ["-", "50", "100.0%", "100.0%", "0", "-"]
    assert "Left out: another (it is not here)." in lines
    assert "- a goal: a figure (missed)" in lines


def test_the_slowest_are_shown_less() -> None:
    shown = [name for name in ("ours", "haar", "ssd-a") if plays(name, "face", 1)]
    assert shown == ["ours"]
    assert plays("haar", "face", 4)
    assert plays("ssd-a", "still", 1)
    assert not plays("ssd-a", "empty", 4)
