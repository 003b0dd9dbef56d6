"""What is drawn onto faces lies where it should."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from edge_runtime.compress import face_covers
from edge_runtime.compress.face_covers import hide_above, hide_without_mask, wear_mask
from edge_runtime.compress.photos import Luma, Photo, photo_of

Dress = Callable[[Photo, np.random.Generator], Photo]
FACE = (60.0, 60.0, 48.0, 64.0)


def photo() -> Photo:
    image = np.random.default_rng(4).integers(90, 110, (120, 120)).astype(np.uint8)
    return photo_of(image, np.array([FACE], np.float32))


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what was asked for: nothing above, no other frame, no other source."""
    monkeypatch.setattr(
        face_covers, "_finished", lambda face, rng: photo_of(face.image, face.boxes)
    )


def part(image: Luma, top: float, bottom: float) -> Luma:
    """The middle of the face between two heights, in face heights from its middle."""
    x, y, w, h = FACE
    return image[round(y + top * h) : round(y + bottom * h), round(x - w / 6) : round(x + w / 6)]


def changed(one: Photo, other: Photo, top: float, bottom: float) -> float:
    """The share of pixels that are others now."""
    return float(np.mean(part(one.image, top, bottom) != part(other.image, top, bottom)))


@pytest.mark.usefixtures("bare")
@pytest.mark.parametrize("seed", range(8))
def test_a_mask_hides_mouth_and_chin_and_leaves_the_eyes(seed: int) -> None:
    face = photo()
    masked = wear_mask(face, np.random.default_rng(seed))
    assert changed(face, masked, 0.2, 0.42) > 0.9
    assert changed(face, masked, -0.5, -0.2) == 0


@pytest.mark.parametrize("cover", face_covers.BELOW)
@pytest.mark.parametrize("seed", range(4))
def test_what_is_no_mask_leaves_the_nose_or_the_mouth(cover: face_covers.Cover, seed: int) -> None:
    face = photo()
    drawn = face_covers._Face(face)
    cover(drawn, np.random.default_rng(seed))
    hidden = Photo((drawn.image,), face.faces, face.ignore)
    assert not np.array_equal(hidden.image, face.image)
    assert min(changed(face, hidden, -0.05, 0.08), changed(face, hidden, 0.26, 0.32)) < 0.6


@pytest.mark.parametrize("dress", [wear_mask, hide_above, hide_without_mask])
def test_the_face_stays_in_the_picture_whatever_frame_it_gets(dress: Dress) -> None:
    for seed in range(40):
        made = dress(photo(), np.random.default_rng(seed))
        (x, y, w, h), (height, width) = made.faces[0], made.image.shape
        assert (w, h) == FACE[2:]
        assert 0 <= x - 0.4 * w < x + 0.4 * w <= width
        assert 0 <= y - 0.4 * h < y + 0.4 * h <= height
        again = dress(photo(), np.random.default_rng(seed))
        assert np.array_equal(made.image, again.image)
