"""Boxes of others in our pixels."""

from __future__ import annotations

import numpy as np

from benchmarks.peer_detectors import PEERS, boxes_of_corners, scaled
from benchmarks.peer_energy import Wattmeter
from edge_runtime.types import Box, Power


def test_a_box_grows_with_its_picture() -> None:
    assert scaled((10, 20, 30, 40), (160, 120), (640, 480)) == Box(40, 80, 120, 160)
    assert scaled((0.25, 0.5, 0.1, 0.2), (1, 1), (640, 480)) == Box(160, 240, 64, 96)


def test_corners_become_places_in_pixels() -> None:
    corners = np.array([[0.25, 0.5, 0.5, 1.0]], np.float32)
    assert boxes_of_corners(corners, (640, 480)).tolist() == [[160, 240, 160, 240]]
    assert boxes_of_corners(corners[:0], (640, 480)).shape == (0, 4)


def test_who_needs_a_fixed_size_has_a_file() -> None:
    assert all(entry.model for entry in PEERS.values() if entry.size)


def ticking(step_s: float) -> Wattmeter:
    """A meter whose clock advances with each turn, on a chip that draws 5 W."""
    now = [0.0]

    def turn_over() -> float:
        now[0] += step_s
        return now[0]

    return Wattmeter(lambda: Power(5.0, 0.5, "a test", "soc"), clock=turn_over)


def test_energy_is_that_of_as_many_turns_as_fill_a_second() -> None:
    turns: list[int] = []
    # Read at 0.25 (begin), 0.5, 0.75, 1.0, 1.25 (over) and 1.5 s: three turns in 1.25 s at 5 W.
    found = ticking(0.25).per_frame_mj(lambda: turns.append(1), 10)
    assert len(turns) == 3
    assert found is not None
    assert round(found, 1) == round(5.0 * 1.25 / 30 * 1000, 1)


def test_energy_is_unknown_where_no_counter_answers() -> None:
    meter = Wattmeter(lambda: None, clock=iter(range(100)).__next__)
    assert meter.per_frame_mj(lambda: None, 10) is None
