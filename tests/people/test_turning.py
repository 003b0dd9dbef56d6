"""A head in the round against a flat picture of it."""

from __future__ import annotations

import numpy as np
import pytest

from edge_runtime.people.layout import similarity
from edge_runtime.people.sight import Quality, quality_of
from edge_runtime.people.turning import WITHIN_S, Turning
from tests.people.faces import FLAT, GOOD, HEAD, Meaning, seen, vars_of

PLACES = np.array(Meaning().points) * 64
CROP = np.zeros((64, 64), np.uint8)


def quality(head: np.ndarray, turn: float, nod: float = 0.0) -> Quality:
    points = seen(head, turn, nod)
    return quality_of(points, PLACES, similarity(points, PLACES), CROP)


def turned(head: np.ndarray, degrees: list[float], seconds: float = 3.0, nod: float = 0.0) -> bool:
    turning = Turning()
    for index, turn in enumerate(degrees):
        turning.see(quality(head, turn, nod), index * seconds / len(degrees))
    return turning.seen


def test_a_head_that_turns_is_alive() -> None:
    assert turned(HEAD, [0, -8, -18, -26, -28, -20, -5, 5])


@pytest.mark.parametrize("nod", [0, 20, -20])
def test_a_photograph_is_not_however_it_is_turned(nod: float) -> None:
    assert not turned(FLAT, [-40, -30, -20, -10, 0, 10, 20, 30, 40], nod=nod)


def test_a_head_that_holds_still_is_not_seen_to_turn() -> None:
    assert not turned(HEAD, [0, 1, -1, 2, 0, -2, 1])


def test_one_bad_look_is_not_a_turn() -> None:
    assert not turned(HEAD, [0, 1, -30, 1, 0, -1, 1])


def test_a_slow_drift_is_not_a_turn() -> None:
    assert not turned(HEAD, [0, -3, -6, -9, -12, -15, -18, -21], seconds=8 * WITHIN_S)


def test_yaw_tells_left_from_right_and_pitch_up_from_down() -> None:
    straight = quality(HEAD, 0)
    assert straight.yaw == pytest.approx(0, abs=0.01)
    assert quality(HEAD, 20).yaw > 0.1 > -0.1 > quality(HEAD, -20).yaw
    assert quality(HEAD, 0, nod=20).pitch < straight.pitch - 0.1 < quality(HEAD, 0, nod=-20).pitch
    assert Quality(**vars_of(GOOD)) == GOOD
