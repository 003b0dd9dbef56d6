"""Places for faces, models for the classifiers, and the tables of growth."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.growth import goal, page, plots
from benchmarks.growth_cases import CROWDED, LARGE, USUAL, Case, Cost, copies, score_at
from benchmarks.growth_scenes import CIRCLE, crowd, places, stirred
from edge_runtime.store.model import load_model
from edge_runtime.types import Box, Face


def test_fifty_places_lie_inside_and_apart() -> None:
    boxes = places(50, USUAL, CROWDED)
    reach = CIRCLE * USUAL[0]
    assert min(min(box.x, box.y) for box in boxes) >= reach
    assert max(box.right for box in boxes) <= USUAL[0] - reach
    assert max(box.bottom for box in boxes) <= USUAL[1] - reach
    assert not any(a.iou(b) for a in boxes for b in boxes if a is not b)


def test_the_first_places_are_in_the_middle() -> None:
    assert places(1, (640, 480), LARGE)[0].iou(Box(200, 120, 240, 240)) > 0.2


def test_a_crowd_shows_its_heads_and_moves() -> None:
    head = np.full((112, 76, 3), 250, np.uint8)
    boxes = places(2, (320, 240), CROWDED)
    first, second = crowd([head, head], boxes, (320, 240), 2)
    assert first.shape == (240, 320, 3)
    for box in boxes:
        x, y = map(round, box.centre)
        assert first[y, x].min() > 230
    assert first[0, 0].max() < 200
    assert (first != second).any()


def test_something_moves_where_nobody_is() -> None:
    first, second = stirred((320, 240), 2)
    assert np.mean(np.abs(first.astype(int) - second) > 30) > 0.01


def test_copies_are_models_of_their_own(tmp_path: Path) -> None:
    names = list(copies(tmp_path, 3))
    assert names == ["smile-1", "mask-1", "smile-2"]
    assert [load_model(tmp_path / name).manifest.name for name in names] == names


def test_a_place_s_score_is_that_of_the_face_in_it() -> None:
    faces = [Face(1, Box(10, 10, 10, 10), 0.6, {}), Face(2, Box(12, 12, 10, 10), 0.8, {})]
    assert score_at(Box(0, 0, 30, 30), faces) == 0.8
    assert score_at(Box(50, 50, 30, 30), faces) == 0.0


def case(*cpu: float) -> Case:
    made = object.__new__(Case)
    made.x, made.label = 1.0, "1"
    made.costs = [Cost(ms, 2 * ms, 0.1, 1.0) for ms in cpu]
    return made


def test_a_point_is_a_median_and_its_ratio_is_taken_round_by_round() -> None:
    point = case(2, 4, 3).point(case(1, 2, 1))
    assert (point["cpu_ms"], point["low_ms"], point["wall_ms"]) == (3, 2, 6)
    assert point["times"] == 2.0


def points(*rows: tuple[float, str, float]) -> list[dict[str, Any]]:
    costs = {"wall_ms": 2.0, "plane_ms": 0.1, "low_ms": 0.5}
    return [
        {"x": x, "label": label, "cpu_ms": ms, "times": ms, "faces": x} | costs
        for x, label, ms in rows
    ]


def report(fifty: float) -> dict[str, Any]:
    return {
        "date": "2026-01-02",
        "machine": "a board",
        "core": 1,
        "rounds": 5,
        "command": "python -m benchmarks.growth --data DIR",
        "faces": points((0, "0, still", 0.1), (0, "0", 0.5), (1, "1", 1), (50, "50", fifty)),
        "size": points((0.08, "320x240", 0.5), (0.3, "640x480", 1)),
        "classifiers": points((1, "1", 1), (2, "2", 1.5)),
    }


@pytest.mark.parametrize(("fifty", "verdict"), [(3.0, "(met)"), (3.1, "(missed)")])
def test_the_goal_is_fifty_faces_against_one(fifty: float, verdict: str) -> None:
    assert goal(report(fifty)["faces"]).endswith(verdict)


def test_the_page_has_a_picture_for_each_table() -> None:
    made = report(2.0)
    text = page(made)
    assert [name for name in plots(made) if f"images/growth-{name}.svg" not in text] == []
    assert "| 50 | 50 | 2.00 | 2.00 | 0.50 | 2.00 | 0.10 |" in text


def test_the_still_point_is_not_on_the_curve() -> None:
    curve = plots(report(2.0))["faces"].curves[0]
    assert curve.points == [(0, 0.5), (1, 1), (50, 2.0)]
