"""What cameras and weather do to grey pictures: light, noise, blur, compression, occluders."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.compress.photos import Luma

Floats = NDArray[np.float32]
Random = np.random.Generator

OCTAGON = [(float(np.cos(t)), float(np.sin(t))) for t in np.arange(8) * np.pi / 4]
_NOISE: Floats = np.random.default_rng(0).standard_normal(1 << 18).astype(np.float32)


def noise(rng: Random, shape: tuple[int, ...]) -> Floats:
    """Standard normal noise from a fixed bank: drawing 19,200 numbers costs more than the rest."""
    count = int(np.prod(shape))
    start = int(rng.integers(0, _NOISE.size - count))
    return _NOISE[start : start + count].reshape(shape)


def relight(image: Luma, rng: Random, strength: float = 1.0) -> Luma:
    """Another gamma, contrast and brightness, by one table look-up."""
    gamma = float(np.exp(rng.normal(0, 0.35 * strength)))
    contrast = float(np.exp(rng.normal(0, 0.25 * strength)))
    shift = float(rng.normal(0, 22 * strength))
    ramp = 255 * (np.arange(256) / 255) ** gamma
    table = np.clip((ramp - 128) * contrast + 128 + shift, 0, 255).astype(np.uint8)
    return np.asarray(cv2.LUT(image, table), np.uint8)


def shade(image: Luma, rng: Random) -> Luma:
    """Light from one side: a brightness ramp across the picture."""
    height, width = image.shape
    across = np.linspace(-1, 1, width) * rng.uniform(-0.5, 0.5)
    down = np.linspace(-1, 1, height)[:, None] * rng.uniform(-0.5, 0.5)
    return _bytes(image * (1 + across + down))


def darken(image: Luma, rng: Random) -> Luma:
    """Night: little light, its shot noise, and black crushed a little."""
    light = rng.uniform(0.1, 0.4)
    dim = image.astype(np.float32) * light
    grain = noise(rng, image.shape) * (np.sqrt(dim + 1) * rng.uniform(0.2, 0.9))
    return _bytes((dim + grain - rng.uniform(0, 4)) * rng.uniform(1.0, 2.0))


def grain(image: Luma, rng: Random) -> Luma:
    """Sensor noise of 1 to 14 grey levels."""
    return _bytes(image + noise(rng, image.shape) * rng.uniform(1, 14))


def blur(image: Luma, rng: Random) -> Luma:
    """Out of focus, or moved along a line."""
    if rng.random() < 0.6:
        return np.asarray(cv2.GaussianBlur(image, (0, 0), rng.uniform(0.4, 1.3)), np.uint8)
    return np.asarray(
        cv2.filter2D(image, -1, _streak(int(rng.integers(3, 6)), rng.uniform(0, np.pi))), np.uint8
    )


def recompress(image: Luma, rng: Random) -> Luma:
    """Through JPEG at quality 15 to 80."""
    packed = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(15, 80))])[1]
    return np.asarray(cv2.imdecode(packed, cv2.IMREAD_GRAYSCALE), np.uint8)


def soften(image: Luma, rng: Random, least: float = 0.5) -> Luma:
    """Down to a part of the resolution and up again."""
    height, width = image.shape
    part = rng.uniform(least, 0.95)
    small = cv2.resize(
        image, (max(4, int(width * part)), max(4, int(height * part))), interpolation=cv2.INTER_AREA
    )
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)


def sharpen(image: Luma, rng: Random) -> Luma:
    """The halo that many camera processors add."""
    soft = cv2.GaussianBlur(image, (0, 0), 1.0)
    return np.asarray(
        cv2.addWeighted(image, 1 + (a := rng.uniform(0.2, 1.0)), soft, -a, 0), np.uint8
    )


def degrade(image: Luma, rng: Random) -> Luma:
    """A random few of everything above, as one camera might deliver it."""
    for chance, change in (
        (0.15, shade), (0.12, soften), (0.22, blur), (0.6, relight),
        (0.1, darken), (0.3, grain), (0.12, sharpen), (0.25, recompress),
    ):  # fmt: skip
        if rng.random() < chance:
            image = change(image, rng)
    return image


def hide_part(image: Luma, box: NDArray[np.float32], rng: Random) -> None:
    """Draw, in place, a mask, dark glasses or a patch over part of one centre-size face box."""
    draw = (_draw_mask, _draw_glasses, _draw_patch)[int(rng.choice(3, p=(0.5, 0.25, 0.25)))]
    draw(image, box, rng)


def turn_away(image: Luma, box: NDArray[np.float32], rng: Random) -> None:
    """Fill, in place, a face with the hair above it: a head from behind, not to be found."""
    x, y, w, h = (float(v) for v in box)
    rows, columns = np.arange(image.shape[0])[:, None], np.arange(image.shape[1])
    reach = ((columns - x) / (0.56 * w)) ** 2 + ((rows - y) / (0.58 * h)) ** 2
    weight = np.clip((1 - reach) * rng.uniform(2, 5) + 0.5, 0, 1)
    above, middle = (
        _span(y - 0.68 * h, 0.2 * h, len(image)),
        _span(x - 0.2 * w, 0.4 * w, len(image[0])),
    )
    crown = image[above, middle]
    tone = float(crown.mean()) if crown.size and rng.random() < 0.7 else rng.uniform(5, 180)
    strands = noise(rng, (image.shape[1],)) * rng.uniform(0, 14) + noise(rng, image.shape) * 3
    image[:] = _bytes(image + (tone * rng.uniform(0.7, 1.05) + strands - image) * weight)


def _span(start: float, length: float, limit: int) -> slice:
    first = int(np.clip(round(start), 0, limit))
    return slice(first, int(np.clip(round(start + length), first, limit)))


def _draw_mask(image: Luma, box: NDArray[np.float32], rng: Random) -> None:
    x, y, w, h = (float(v) for v in box)
    top, half = y + h * rng.uniform(-0.08, 0.14), w * rng.uniform(0.38, 0.52)
    bottom, chin = y + h * rng.uniform(0.42, 0.55), half * rng.uniform(0.4, 0.8)
    shape = [
        (x - half, top),
        (x, top - h * rng.uniform(0, 0.1)),
        (x + half, top),
        (x + chin, bottom),
        (x - chin, bottom),
    ]
    _fill(image, shape, int(rng.integers(10, 250)))


def _draw_glasses(image: Luma, box: NDArray[np.float32], rng: Random) -> None:
    x, y, w, h = (float(v) for v in box)
    level, radius = (
        y - h * rng.uniform(0.08, 0.2),
        (w * rng.uniform(0.14, 0.22), h * rng.uniform(0.08, 0.14)),
    )
    grey = int(rng.integers(0, 60))
    for side in (-1, 1):
        _fill(
            image,
            [(x + side * w * 0.22 + a * radius[0], level + b * radius[1]) for a, b in OCTAGON],
            grey,
        )


def _draw_patch(image: Luma, box: NDArray[np.float32], rng: Random) -> None:
    x, y, w, h = (float(v) for v in box)
    side, part = int(rng.integers(0, 4)), rng.uniform(0.2, 0.42)
    left, right, top, bottom = x - w / 2, x + w / 2, y - h / 2, y + h / 2
    cuts = [(left, top, left + w * part, bottom), (right - w * part, top, right, bottom)]
    cuts += [(left, bottom - h * part, right, bottom), (left, top, right, top + h * part * 0.6)]
    a, b, c, d = cuts[side]
    if rng.random() < 0.5:
        _fill(image, [(a, b), (c, b), (c, d), (a, d)], int(rng.integers(0, 256)))
    else:
        _copy_over(image, (_span(b, d - b, len(image)), _span(a, c - a, len(image[0]))), rng)


def _copy_over(image: Luma, spot: tuple[slice, slice], rng: Random) -> None:
    """Lay another part of the picture over a spot: what stands before a face has a texture."""
    height, width = image[spot].shape
    top = int(rng.integers(0, image.shape[0] - height + 1))
    left = int(rng.integers(0, image.shape[1] - width + 1))
    image[spot] = image[top : top + height, left : left + width].copy()


def _fill(image: Luma, corners: list[tuple[float, float]], grey: int) -> None:
    points = np.round(np.array(corners) * 16).astype(np.int32)
    cv2.fillConvexPoly(image, points, grey, lineType=cv2.LINE_AA, shift=4)


def _streak(length: int, angle: float) -> Floats:
    kernel = np.zeros((length, length), np.float32)
    middle = (length - 1) / 2
    reach = np.array([np.cos(angle), np.sin(angle)]) * middle
    start, end = np.round(middle - reach).astype(int), np.round(middle + reach).astype(int)
    cv2.line(kernel, [int(v) for v in start], [int(v) for v in end], 1.0)
    return np.asarray(kernel / kernel.sum(), np.float32)


def _bytes(image: NDArray[np.floating]) -> Luma:
    return np.clip(image, 0, 255).astype(np.uint8)
