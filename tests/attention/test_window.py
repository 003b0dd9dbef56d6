"""Windows, the pyramid of tiles, and what they show."""

from __future__ import annotations

import numpy as np
import pytest

from edge_runtime.attention.overlap import Boxes
from edge_runtime.attention.window import (
    BEST_PX,
    OVERLAP,
    Views,
    fovea,
    glance_window,
    pyramid,
    show,
)
from edge_runtime.types import Box, Frame
from tests.white_faces import ArrayPicture

VIEW = (160, 120)


def rows(*boxes: Box) -> Boxes:
    return np.array(boxes, np.float32).reshape(-1, 4)


def test_the_glance_has_the_views_aspect_and_holds_the_picture() -> None:
    assert glance_window((640, 480), VIEW) == Box(0, 0, 640, 480)
    assert glance_window((480, 270), VIEW) == Box(0, -45, 480, 360)


def test_tiles_cover_every_pixel_of_every_level() -> None:
    for picture in [(640, 480), (480, 270), (1920, 1080), (300, 900)]:
        tiles = pyramid(picture, VIEW, 8.0)
        for width in np.unique(tiles[:, 2]):
            seen = np.zeros(picture[::-1], bool)
            for x, y, w, h in tiles[tiles[:, 2] == width]:
                assert x >= 0
                assert y >= 0
                assert x + w <= picture[0] + 0.01
                assert y + h <= picture[1] + 0.01
                seen[round(y) : round(y + h), round(x) : round(x + w)] = True
            assert seen.all(), (picture, width)


def test_a_face_up_to_the_overlap_is_whole_in_a_tile_of_each_level() -> None:
    tiles = pyramid((640, 480), VIEW, 12.8)
    rng = np.random.default_rng(1)
    for width in np.unique(tiles[:, 2]):
        level = tiles[tiles[:, 2] == width]
        side = OVERLAP * width * 0.74  # the overlap is less along the shorter side
        for _ in range(200):
            x, y = rng.uniform(0, 640 - side), rng.uniform(0, 480 - side)
            whole = [
                a <= x and b <= y and x + side <= a + w and y + side <= b + h
                for a, b, w, h in level
            ]
            assert any(whole), (width, x, y)


@pytest.mark.parametrize(
    ("picture", "smallest_px", "levels"),
    [
        ((640, 480), 64.0, 0),  # 16 px in the glance
        ((640, 480), 20.0, 1),
        ((640, 480), 12.8, 2),
        ((640, 480), 1.0, 2),  # no further than pixels go
        ((3840, 2160), 1.0, 5),
    ],
)
def test_the_pyramid_ends_where_the_smallest_face_is_legible_or_pixels_end(
    picture: tuple[int, int], smallest_px: float, levels: int
) -> None:
    assert len(np.unique(pyramid(picture, VIEW, smallest_px)[:, 2])) == levels


def test_a_fovea_shows_its_face_at_the_best_size_inside_the_picture() -> None:
    face = Box(600, 10, 30, 40)
    window = fovea(face, (640, 480), VIEW)
    assert window.right <= 640
    assert window.y >= 0
    assert 40 * 160 / window.w == pytest.approx(BEST_PX)


def test_fitness_is_best_at_the_best_size_and_nothing_for_a_cut_face() -> None:
    window = Box(0, 0, 160, 120)
    best, half = Box(10, 10, 28, 28), Box(10, 10, 14, 14)
    cut, tiny, huge = Box(150, 10, 28, 28), Box(10, 10, 8, 8), Box(5, 5, 95, 95)
    fit = Views(rows(window), 160).fitness(rows(best, half, cut, tiny, huge))[0]
    assert fit[0] == 1
    assert fit[1] == pytest.approx(0.61, abs=0.01)
    assert (fit[2:] == 0).all()


class TellTale(ArrayPicture):
    """Remembers what was read of it."""

    def __init__(self, pixels: np.ndarray) -> None:
        super().__init__(pixels)
        self.read: list[Box | None] = []

    def luma(self, box: Box | None = None) -> np.ndarray:
        self.read.append(box)
        return super().luma(box)


def frame() -> tuple[Frame, TellTale]:
    across = np.linspace(0, 255, 640).astype(np.uint8)
    picture = TellTale(np.tile(across, (480, 1)))
    plane = np.ascontiguousarray(picture._pixels[::2, ::2])
    return Frame(0, 0.0, plane, picture), picture


def test_coarse_windows_come_from_the_small_plane_and_fine_ones_from_the_picture() -> None:
    out = np.empty((120, 160), np.uint8)
    seen, picture = frame()
    show(seen, Box(100, 100, 320, 240), out)
    assert picture.read == []
    window = Box(320, 240, 160, 120)
    show(seen, window, out)
    assert picture.read == [window]
    assert out[0, 0] == picture._pixels[240, 320]


@pytest.mark.parametrize("window", [Box(101, 77, 320, 240), Box(317, 203, 161, 121)])
def test_what_a_window_shows_is_placed_back_into_the_picture(window: Box) -> None:
    seen, _ = frame()
    out = np.empty((120, 160), np.uint8)
    fit = show(seen, window, out)
    corner = fit.to_picture(Box(0, 0, 160, 120))
    assert corner.x == pytest.approx(window.x, abs=3)
    assert corner.y == pytest.approx(window.y, abs=3)
    assert corner.w == pytest.approx(window.w, abs=5)
