"""Scenes are what the labels say they are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from edge_runtime.compress.face_scenes import (
    HEIGHT,
    WIDTH,
    Canvas,
    Pools,
    compose,
    draw_scene,
    mirror,
)
from edge_runtime.compress.photos import Photo, pyramid

NOTHING = np.zeros((0, 4), np.float32)


def photo(faces: int) -> Photo:
    rng = np.random.default_rng(faces)
    image = rng.integers(0, 256, (150, 200)).astype(np.uint8)
    boxes = [[40 + 50 * i, 60, 30, 40] for i in range(faces)]
    return Photo(pyramid(image), np.array(boxes, np.float32).reshape(-1, 4), NOTHING)


@pytest.fixture
def pools() -> Pools:
    return Pools([photo(1), photo(3)], [photo(1)], [photo(2)], [photo(0)])


def test_faces_lie_on_the_canvas_and_are_large_enough(pools: Pools) -> None:
    rng = np.random.default_rng(3)
    scenes = [draw_scene(pools, rng) for _ in range(60)]
    boxes = np.concatenate([scene.faces for scene in scenes])
    assert len(boxes) > 20
    assert all(scene.image.shape == (HEIGHT, WIDTH) for scene in scenes)
    assert np.all(boxes[:, :2] - boxes[:, 2:] / 2 >= -1e-3)
    assert np.all(boxes[:, :2] + boxes[:, 2:] / 2 <= (WIDTH + 1e-3, HEIGHT + 1e-3))


def test_more_scenes_show_nobody_when_that_is_asked_for(pools: Pools) -> None:
    def empty(share: float) -> int:
        rng = np.random.default_rng(4)
        asked = replace(pools, nobodys_share=share)
        return sum(not len(compose(asked, rng).faces) for _ in range(80))

    assert empty(1.0) == 80
    assert empty(0.0) < empty(0.5) < 80


def test_faces_come_from_the_masked_as_often_as_asked_for() -> None:
    pools = Pools([photo(1)], [photo(1)], [photo(2)], [photo(0)], nobodys_share=0.0)
    drawn = [
        sum(len(compose(replace(pools, masked_share=share), rng).faces) for _ in range(60))
        for share, rng in ((share, np.random.default_rng(5)) for share in (0.0, 1.0))
    ]
    assert drawn[0] < drawn[1]  # their photographs show two


def test_the_same_seed_draws_the_same_scene(pools: Pools) -> None:
    one, two = (draw_scene(pools, np.random.default_rng(8)) for _ in range(2))
    assert np.array_equal(one.image, two.image)
    assert np.array_equal(one.faces, two.faces)


def test_a_later_layer_hides_the_faces_beneath() -> None:
    face = np.array([[40, 40, 20, 20]], np.float32)
    canvas = Canvas(np.zeros((HEIGHT, WIDTH), np.uint8), NOTHING)
    canvas.lay(canvas.image, np.ones((HEIGHT, WIDTH), bool), face, NOTHING)
    assert len(canvas.truth()[0]) == 1
    half = np.zeros((HEIGHT, WIDTH), bool)
    half[:, :40] = True
    canvas.lay(canvas.image, half, NOTHING, NOTHING)
    faces, ignore = canvas.truth()
    assert len(faces) == 0
    assert ignore.tolist() == face.tolist()


def test_mirroring_twice_changes_nothing(pools: Pools) -> None:
    scene = compose(pools, np.random.default_rng(4))
    again = mirror(mirror(scene))
    assert np.array_equal(again.image, scene.image)
    assert again.faces == pytest.approx(scene.faces, abs=1e-4)
