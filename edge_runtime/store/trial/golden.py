"""The pictures every model must take: flat, noise, and something like a face."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from edge_runtime.engine.tensor import Pixels

_SEED = 20


def golden_pictures(shape: tuple[int, int, int, int]) -> Iterator[tuple[str, Pixels]]:
    """Name and pixels, uint8 (height, width, channels), for an input of ``shape``; seeded."""
    size = shape[1:]
    for name, value in {"black": 0, "grey": 128, "white": 255}.items():
        yield name, np.full(size, value, np.uint8)
    yield "noise", np.random.default_rng(_SEED).integers(0, 256, size, np.uint8)
    yield "face", np.repeat(_face(*size[:2])[..., np.newaxis], size[2], axis=2)


def _face(height: int, width: int) -> Pixels:
    """A bright oval with darker eyes and mouth; places are shares of the picture's sides."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32) + 0.5
    y, x = y / height, x / width
    picture = np.full((height, width), 70, np.uint8)
    for across, down, half_width, half_height, brightness in (
        (0.5, 0.5, 0.36, 0.46, 190),
        (0.36, 0.42, 0.07, 0.035, 60),
        (0.64, 0.42, 0.07, 0.035, 60),
        (0.5, 0.72, 0.14, 0.04, 90),
    ):
        inside = ((x - across) / half_width) ** 2 + ((y - down) / half_height) ** 2 <= 1
        picture[inside] = brightness
    return picture
