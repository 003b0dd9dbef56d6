"""Faces are laid so that their points come where `face-id`'s contract has them."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch")

from edge_runtime.compress.face_align import PLACES, aligned, similarity
from tests.compress.faces import bright_spot, drawn_face


def test_a_similarity_is_found_again() -> None:
    angle, scale = 0.4, 1.7
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    points = np.random.default_rng(1).normal(size=(5, 2))
    found = similarity(points.astype(np.float32), points @ turn.T + [3, -2])
    np.testing.assert_allclose(found, np.hstack([turn, [[3], [-2]]]), atol=1e-6)


def test_a_similarity_never_mirrors_or_shears() -> None:
    points = np.array([[0, 0], [1, 0], [0.5, 0.5], [0, 1], [1, 1]], np.float32)
    found = similarity(points, points * [-1, 3])[:, :2]
    assert np.linalg.det(found) > 0
    np.testing.assert_allclose(found @ found.T, np.eye(2) * np.linalg.det(found), atol=1e-9)


@pytest.mark.parametrize("side", [64, 128])
def test_points_come_to_their_places(side: int) -> None:
    sight = drawn_face(0, "ann", shift=(-9, 7))
    crop = aligned(sight.photo, sight.points, side)
    affine = similarity(sight.points, PLACES * side)
    for point in sight.points:
        wanted = affine[:, :2] @ point + affine[:, 2]
        assert np.abs(bright_spot(crop, wanted, side // 16) - wanted).max() < side / 64
