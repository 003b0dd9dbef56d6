"""Who is who by cosine: figures that can be checked by hand."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from edge_runtime.compress.verification import (  # noqa: E402
    FALSE_ACCEPTS,
    Pairs,
    operating_points,
    pairs_of,
    verification,
)

NOBODY = np.full(0, -1)


def pairs(same: list[float], different: list[float]) -> Pairs:
    return Pairs(
        np.array(same),
        np.array(different),
        np.arange(len(same)) % 10,
        np.arange(len(different)) % 10,
    )


def people(spread: float, count: int = 200, pictures: int = 3) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(2)
    centres = rng.normal(size=(count, 32))
    who = np.repeat(np.arange(count), pictures)
    return (centres[who] + rng.normal(size=(len(who), 32)) * spread).astype(np.float32), who


def test_every_two_pictures_are_a_pair() -> None:
    vectors, who = people(0.1, count=20)
    found = pairs_of(vectors, who)
    assert len(found.same) == 20 * 3
    assert len(found.same) + len(found.different) == 60 * 59 // 2
    assert found.same.min() > found.different.max()


def test_people_apart_are_told_apart_and_noise_is_not() -> None:
    near, who = people(0.1)
    assert verification([torch.from_numpy(near)], torch.from_numpy(who)).value == 1.0
    noise = np.random.default_rng(3).normal(size=near.shape).astype(np.float32)
    chance = verification([torch.from_numpy(noise)], torch.from_numpy(who)).value
    assert chance == pytest.approx(0.5, abs=0.08)


def test_a_threshold_lets_in_the_share_it_was_made_for() -> None:
    found = pairs_of(*people(1.0))
    for point in operating_points(found, (0.1, 0.01)):
        let_in = (found.different >= point.threshold).mean()
        assert let_in == pytest.approx(point.false_accepts, rel=0.05)
        assert point.true_accepts == (found.same >= point.threshold).mean()


def test_stricter_points_let_less_through() -> None:
    points = operating_points(pairs_of(*people(1.0)))
    assert [each.false_accepts for each in points] == list(FALSE_ACCEPTS)
    thresholds = [each.threshold for each in points]
    assert thresholds == sorted(thresholds)
    assert points[0].true_accepts >= points[-1].true_accepts


def test_evidence_of_two_bells_is_what_the_bells_say() -> None:
    rng = np.random.default_rng(5)
    bells = pairs(list(rng.normal(0.6, 0.1, 20_000)), list(rng.normal(0.1, 0.1, 20_000)))
    slope, intercept = bells.evidence()
    # Two bells of one width d apart: slope d / variance, and 0 half way between them.
    assert slope == pytest.approx(50, rel=0.1)
    assert -intercept / slope == pytest.approx(0.35, abs=0.01)
