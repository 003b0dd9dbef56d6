"""Points to a laid-out face."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from edge_runtime.capture.picture import BgrPicture
from edge_runtime.imaging import PADDING
from edge_runtime.people.layout import laid_out, misfit, similarity
from tests.people.faces import Meaning

SIDE = 64
PLACES = np.array(Meaning().points) * SIDE


def placed(turn: complex, shift: complex) -> np.ndarray:
    """Where the points of the layout are in a picture that shows it turned and shifted."""
    z = (PLACES[:, 0] + 1j * PLACES[:, 1]) * turn + shift
    return np.stack([z.real, z.imag], axis=1)


@pytest.mark.parametrize("degrees", [0, 17, -90, 179])
@pytest.mark.parametrize("scale", [0.3, 1.0, 7.5])
def test_the_similarity_undoes_rotation_scale_and_shift(degrees: float, scale: float) -> None:
    turn = scale * np.exp(1j * np.radians(degrees))
    fit = similarity(placed(turn, 120 - 33j), PLACES)
    assert fit.turn == pytest.approx(1 / turn)
    assert misfit(placed(turn, 120 - 33j), PLACES, fit) == pytest.approx(0, abs=1e-12)


def test_a_face_is_never_mirrored() -> None:
    mirrored = PLACES * (-1, 1)
    fit = similarity(mirrored, PLACES)
    assert np.linalg.det(fit.matrix()[:, :2]) > 0
    assert misfit(mirrored, PLACES, fit) > 0.3


def test_points_in_one_place_are_laid_out_as_nothing() -> None:
    fit = similarity(np.full((5, 2), 7.0), PLACES)
    picture = BgrPicture(np.zeros((40, 40, 3), np.uint8))
    assert (laid_out(picture, fit, SIDE) == PADDING).all()


def blobs(points: np.ndarray, size: tuple[int, int], radius: float) -> np.ndarray:
    """A picture with a smooth white spot at each point."""
    y, x = np.mgrid[: size[1], : size[0]] + 0.5
    spots = [np.exp(-((x - px) ** 2 + (y - py) ** 2) / (2 * radius**2)) for px, py in points]
    return np.repeat((np.max(spots, axis=0) * 200).astype(np.uint8)[..., None], 3, axis=2)


@pytest.mark.parametrize("scale", [0.7, 1.6, 5.0])
def test_every_point_comes_to_its_place_to_a_quarter_of_a_pixel(scale: float) -> None:
    turn = scale * np.exp(1j * np.radians(25))
    points = placed(turn, 300 + 60j)
    face = laid_out(
        BgrPicture(blobs(points, (900, 700), 2.0 * scale)), similarity(points, PLACES), SIDE
    )
    for x, y in PLACES:
        left, top = round(x) - 4, round(y) - 4
        part = face[top : top + 9, left : left + 9].astype(float)
        rows, columns = np.mgrid[top : top + 9, left : left + 9] + 0.5
        weight = np.maximum(part - part.max() * 0.3, 0)
        assert (columns * weight).sum() / weight.sum() == pytest.approx(x, abs=0.3)
        assert (rows * weight).sum() / weight.sum() == pytest.approx(y, abs=0.3)


def test_outside_the_picture_is_grey() -> None:
    points = placed(1 + 0j, -40 + 0j)
    face = laid_out(
        BgrPicture(np.full((200, 200, 3), 250, np.uint8)), similarity(points, PLACES), SIDE
    )
    assert (face[:, :38] == PADDING).all()
    assert (face[2:, 42:] == 250).all()


def test_a_large_face_does_not_alias() -> None:
    """Stripes finer than a pixel of the crop become grey, not coarse stripes."""
    stripes = np.zeros((1280, 1280, 3), np.uint8)
    stripes[:, ::2] = 255
    face = laid_out(BgrPicture(stripes), similarity(placed(20 + 0j, 0j), PLACES), SIDE)
    assert float(face[4:-4, 4:-4].std()) < 3
    assert cv2.mean(face[4:-4, 4:-4])[0] == pytest.approx(127.5, abs=3)
