"""The gate that lets the detector rest."""

import numpy as np

from edge_runtime.attention.motion import MotionGate
from edge_runtime.types import Box


def scene(seed: int = 1) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.integers(60, 180, (120, 160), np.uint8)


def settled(glance: np.ndarray) -> MotionGate:
    gate = MotionGate(width=160, height=120)
    for _ in range(3):
        gate.update(glance)
    return gate


def test_the_first_glance_is_all_motion() -> None:
    gate = MotionGate(width=160, height=120)
    assert gate.update(scene()).share == 1.0


def test_a_still_scene_does_not_move() -> None:
    assert settled(scene()).update(scene()).share == 0.0


def test_many_boxes_are_asked_about_as_one_by_one() -> None:
    gate, rng = settled(scene()), np.random.default_rng(5)
    changed = scene()
    changed[40:60, 70:90] = 250
    motion = gate.update(changed)
    lefts, tops, sides = (
        rng.uniform(-20, 170, 60),
        rng.uniform(-20, 130, 60),
        rng.uniform(1, 40, 60),
    )
    boxes = [Box(*each) for each in zip(lefts, tops, sides, sides * 1.2, strict=True)]
    one_by_one = [motion.within([box])[0] for box in boxes]
    assert motion.within(boxes) == one_by_one
    assert 3 < sum(one_by_one) < 57


def test_sensor_noise_is_not_motion() -> None:
    gate = settled(scene())
    noise = np.random.default_rng(2).normal(0, 6, (120, 160))
    noisy = np.clip(scene() + noise, 0, 255).astype(np.uint8)
    assert gate.update(noisy).share < 0.004


def test_a_lamp_switched_on_is_not_motion() -> None:
    gate = settled(scene())
    assert gate.update(scene() + np.uint8(40)).share == 0.0


def test_a_patch_that_changes_is_found_where_it_is() -> None:
    gate = settled(scene())
    moved = scene()
    moved[40:60, 80:104] = 255 - moved[40:60, 80:104] // 4
    motion = gate.update(moved)
    assert 0.015 < motion.share < 0.035
    rows, columns = motion.cells.nonzero()
    assert (rows.min(), rows.max()) == (10, 14)
    assert (columns.min(), columns.max()) == (20, 25)


def test_an_object_that_stays_becomes_background() -> None:
    gate = settled(scene())
    moved = scene()
    moved[40:60, 80:104] = 250
    shares = [gate.update(moved).share for _ in range(20)]
    assert shares[0] > 0.01
    assert shares[-1] == 0.0
