"""The demo's world: heads that wander before a photograph, come and go, under a changing light.

A pure function of the seed and of time, so that a frame can be drawn again at any moment.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, pi, sin, tanh
from typing import Final

import cv2
import numpy as np

from edge_runtime.capture.photographs import photograph
from edge_runtime.capture.portrait import PHOTOGRAPH, Portrait
from edge_runtime.capture.uri import Size
from edge_runtime.types import Bgr, Box

_BACKGROUNDS: Final = ("coffee.png", "rocket.jpg")

_SMALLEST, _LARGEST = 0.08, 0.25
"""A face's width as a share of the picture's."""

_HEAD: Final = 1.95
"""A head's width and height in faces: what a place of its own must hold."""

_VISIBLE: Final = 0.7
"""Truth names a face of which this share is in the picture; less is nobody's miss."""

_NOISE: Final = 2.5
"""Standard deviation of the sensor noise, grey levels: a small sensor indoors."""
_NOISE_MEAN: Final = 12

_COMES_S: Final = 0.8
_AWAY_S: Final = 2.5


@dataclass(frozen=True, slots=True)
class Wave:
    """A slow swing around a middle."""

    middle: float
    swing: float
    period_s: float
    phase: float

    def at(self, seconds: float) -> float:
        return self.middle + self.swing * sin(2 * pi * seconds / self.period_s + self.phase)


@dataclass(frozen=True, slots=True)
class Actor:
    """One head: where it wanders, how large, and when it is there."""

    portrait: Portrait
    x: Wave
    y: Wave
    width: Wave
    stays_s: float
    since_s: float
    """How long it has been there when the film begins."""
    away_y: float
    """Where it comes from and goes to: the centre's height when it is out of the picture."""

    def face(self, seconds: float) -> Box:
        width = self.width.at(seconds)
        height = width * Portrait.aspect
        out = self._out(seconds)
        y = self.y.at(seconds) * (1 - out) + self.away_y * out
        return Box(self.x.at(seconds) - width / 2, y - height / 2, width, height)

    def _out(self, seconds: float) -> float:
        """0 while it is there, 1 while it is away, smooth between."""
        now = (seconds + self.since_s) % (self.stays_s + 2 * _COMES_S + _AWAY_S) - self.stays_s
        if now <= 0:
            return 0.0
        if now <= _COMES_S:
            return _smooth(now / _COMES_S)
        back = now - _COMES_S - _AWAY_S
        return 1.0 if back <= 0 else 1.0 - _smooth(back / _COMES_S)


class Scene:
    """Draws frames of ``size`` with ``faces`` heads; equal seeds draw equal frames."""

    def __init__(self, *, faces: int, seed: int, size: Size) -> None:
        """Raises LibraryMissing where the photographs are not installed."""
        rng = np.random.default_rng(seed)
        self._seed = seed
        self._size = size
        self._background = _covering(photograph(_BACKGROUNDS[seed % 2]), size)
        self._actors = _actors(faces, size, rng)
        self._light = Wave(1.0, 0.08, 11.0, rng.uniform(0, 2 * pi))
        self._lamp = Wave(0.0, 4.0, 23.0, rng.uniform(0, 2 * pi))
        self._noise = _noise_field(size, rng)

    def draw(self, index: int, seconds: float) -> tuple[Bgr, tuple[Box, ...]]:
        """The frame at ``seconds``, and where its faces are. ``index`` picks the noise."""
        picture = self._background.copy()
        faces = [actor.face(seconds) for actor in self._actors]
        for actor, face in zip(self._actors, faces, strict=True):
            actor.portrait.paste(picture, face)
        gain = self._light.at(seconds) + 0.1 * tanh(self._lamp.at(seconds))
        noise = self._noise_of(index)
        cv2.addWeighted(picture, gain, noise, 1.0, -float(_NOISE_MEAN), dst=picture)
        return picture, self._truth(faces)

    def _noise_of(self, index: int) -> Bgr:
        """Another window of one large field: drawing new noise would cost ten times the picture."""
        width, height = self._size
        across, down = np.random.default_rng((self._seed, index)).integers(0, _SHIFTS, 2)
        return self._noise[down : down + height, across : across + width]

    def _truth(self, faces: list[Box]) -> tuple[Box, ...]:
        seen = ((face, face.clipped(*self._size)) for face in faces)
        return tuple(inside for face, inside in seen if inside.area >= _VISIBLE * face.area)


_SHIFTS: Final = 64


def _smooth(share: float) -> float:
    return share * share * (3 - 2 * share)


def _noise_field(size: Size, rng: np.random.Generator) -> Bgr:
    """Sensor noise for any window of ``size``.

    Row by row: drawn at once, the field and its roundings are 27 MB of reals for a VGA picture,
    which the allocator then keeps for as long as the program runs.
    """
    width, height = size[0] + _SHIFTS, size[1] + _SHIFTS
    field = np.empty((height, width, 3), np.uint8)
    for row in field:
        reals = rng.normal(_NOISE_MEAN, _NOISE, row.shape)
        row[...] = np.clip(np.rint(reals, out=reals), 0, 255)
    return field


def _covering(picture: Bgr, size: Size) -> Bgr:
    """``picture`` scaled to cover ``size``, its middle cut out."""
    scale = max(size[0] / picture.shape[1], size[1] / picture.shape[0])
    width, height = ceil(picture.shape[1] * scale), ceil(picture.shape[0] * scale)
    large = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
    left, top = (width - size[0]) // 2, (height - size[1]) // 2
    return np.ascontiguousarray(large[top : top + size[1], left : left + size[0]], np.uint8)


def _actors(count: int, size: Size, rng: np.random.Generator) -> tuple[Actor, ...]:
    """Each has a place of its own in one row, or two, so that nobody hides anybody."""
    if not count:
        return ()
    head = photograph(PHOTOGRAPH)
    rows = 1 if count <= 4 else 2
    columns = ceil(count / rows)
    place = Box(0, 0, size[0] / columns, size[1] / rows)
    return tuple(
        _actor(head, place._replace(x=at % columns * place.w, y=at // columns * place.h), size, rng)
        for at in range(count)
    )


def _actor(head: Bgr, place: Box, size: Size, rng: np.random.Generator) -> Actor:
    largest = min(
        _LARGEST * size[0], place.w / _HEAD, place.h / _HEAD / Portrait.aspect
    ) * rng.uniform(0.8, 1.0)
    smallest = min(_SMALLEST * size[0], 0.9 * largest)
    room_x, room_y = place.w - _HEAD * largest, place.h - _HEAD * largest * Portrait.aspect
    lamp = rng.uniform(0.7, 1.1)
    tint = (lamp * rng.uniform(0.9, 1.1), lamp, lamp * rng.uniform(0.9, 1.1))
    stays_s = rng.uniform(12, 20)
    reach = _HEAD * largest * Portrait.aspect
    return Actor(
        portrait=Portrait(head, mirrored=bool(rng.integers(2)), tint=tint),
        x=_wave(rng, place.centre[0], room_x / 2, 7, 15),
        y=_wave(rng, place.centre[1], room_y / 2, 9, 19),
        width=_wave(rng, (smallest + largest) / 2, (largest - smallest) / 2, 13, 29),
        stays_s=stays_s,
        since_s=rng.uniform(0, stays_s - 10),
        # Up or down, whichever does not lead through somebody else's place.
        away_y=-reach if place.bottom < size[1] else size[1] + reach,
    )


def _wave(
    rng: np.random.Generator, middle: float, swing: float, shortest_s: float, longest_s: float
) -> Wave:
    return Wave(middle, swing, rng.uniform(shortest_s, longest_s), rng.uniform(0, 2 * pi))
