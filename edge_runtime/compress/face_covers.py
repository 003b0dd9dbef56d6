"""What hides parts of faces, drawn onto grey pictures: masks, and what must not be taken for one.

Places are in face units: u across and v down from the middle of the box, 1 being its width or
height. In the teacher's boxes the eyes are near v = -0.12, the mouth near 0.28, the chin at 0.5.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.compress.distortion import Random, noise, recompress, soften
from edge_runtime.compress.photos import Boxes, Luma, Photo, photo_of

Floats = NDArray[np.float32]
Place = Sequence[float] | NDArray[np.float64]
Outline = Sequence[tuple[float, float]]
Cover = Callable[["_Face", Random], None]
"""Draws onto a face what hides a part of it."""
TONES = ((0.35, 185, 250), (0.3, 105, 190), (0.25, 8, 60), (0.1, 10, 250))
"""How often cloth is that grey: white, blue or pink, black, anything."""


def wear_mask(photo: Photo, rng: Random) -> Photo:
    """A face behind a mask; perhaps more of it is hidden as well."""
    face = _Face(photo)
    face.mask(rng, 0.0)
    return _finished(face, rng)


def hide_above(photo: Photo, rng: Random) -> Photo:
    """Perhaps hidden by what people wear whether they have a mask or not."""
    return _finished(_Face(photo), rng)


def hide_without_mask(photo: Photo, rng: Random) -> Photo:
    """Perhaps hidden by what is no mask, the mouth included."""
    face = _Face(photo)
    if rng.random() < 0.4:
        BELOW[int(rng.integers(len(BELOW)))](face, rng)
    return _finished(face, rng)


def covered(photo: Photo, cover: Cover, rng: Random) -> Photo:
    """A face of which that is hidden, and nothing else is changed."""
    face = _Face(photo)
    cover(face, rng)
    return photo_of(face.image, photo.faces)


class _Face:
    """A picture that is drawn upon, and the place of its face."""

    def __init__(self, photo: Photo) -> None:
        self.image: Luma = photo.image.copy()
        self.boxes: Boxes = photo.faces
        self.x, self.y, self.w, self.h = (float(v) for v in photo.faces[0])
        height, width = self.image.shape
        # A row and a column: what is computed from both becomes a picture.
        self.u: Floats = ((np.arange(width)[None] - self.x) / self.w).astype(np.float32)
        self.v: Floats = ((np.arange(height)[:, None] - self.y) / self.h).astype(np.float32)
        seen = self.image[abs(self.v[:, 0]) < 0.3][:, abs(self.u[0]) < 0.3]
        self.light = float(seen.mean()) if seen.size else 128.0

    def mask(self, rng: Random, lower: float) -> None:
        """Over nose and chin; ``lower`` moves it down."""
        cloth = self.cloth(rng)
        top, turn = rng.uniform(-0.07, 0.1), rng.uniform(-0.08, 0.08)
        outline = np.add(_mask_outline(rng, top), (turn, lower))
        if rng.random() < 0.6:
            for corner in (outline[0], outline[4]):
                ear = (np.sign(corner[0]) * 0.58, -0.1 + lower / 2)
                self.line(corner, ear, 0.02, float(cloth.mean()))
        self.lay(outline, cloth, self.pleats(rng, lower))

    def lay(self, outline: NDArray[np.float64] | Outline, *layers: Floats | float) -> None:
        """The sum of the layers, grey levels, within an outline."""
        weight = np.zeros(self.image.shape, np.uint8)
        cv2.fillPoly(weight, [self._pixels(outline)], 255, lineType=cv2.LINE_AA, shift=4)
        self.blend(sum(layers), np.asarray(weight / 255, np.float32))

    def blend(self, layer: Floats | float, weight: Floats) -> None:
        """Towards a layer, by a weight of 0 to 1."""
        mixed = self.image + (layer - self.image) * weight
        self.image = np.clip(mixed, 0, 255).astype(np.uint8)

    def line(self, start: Place, end: Place, width: float, grey: float) -> None:
        """From one place to another, ``width`` in face widths."""
        a, b = self._pixels([(start[0], start[1]), (end[0], end[1])])
        thickness = max(1, round(width * self.w))
        cv2.line(self.image, a.tolist(), b.tolist(), grey, thickness, cv2.LINE_AA, 4)

    def cloth(self, rng: Random) -> Floats:
        """Grey levels of a piece of cloth: tone, light from a side, perhaps a pattern."""
        _, low, high = TONES[int(rng.choice(len(TONES), p=[tone[0] for tone in TONES]))]
        tone = rng.uniform(low, high) * np.clip(self.light / 130, 0.5, 1.2)
        round_ = 1 - rng.uniform(0, 1.4) * self.u**2 + rng.uniform(-0.4, 0.4) * self.u
        return (tone * round_ + self._pattern(rng) + noise(rng, self.image.shape) * 2).astype(
            np.float32
        )

    def pleats(self, rng: Random, lower: float) -> Floats | float:
        """The folds of a surgical mask."""
        if rng.random() < 0.5:
            return 0.0
        wave = np.sin((self.v - lower) * rng.uniform(35, 60) + rng.uniform(0, 6) + 3 * self.u**2)
        return (wave * rng.uniform(4, 18)).astype(np.float32)

    def _pattern(self, rng: Random) -> Floats | float:
        kind, strength = rng.random(), rng.uniform(10, 70)
        if kind < 0.7:
            return 0.0
        if kind < 0.82:
            angle, pitch = rng.uniform(0, np.pi), rng.uniform(20, 70)
            wave = np.sin(pitch * (np.cos(angle) * self.u + np.sin(angle) * self.v))
            return (np.sign(wave) * strength).astype(np.float32)
        blots = rng.standard_normal((int(rng.integers(4, 14)),) * 2).astype(np.float32)
        return cv2.resize(blots, self.image.shape[::-1], interpolation=cv2.INTER_CUBIC) * strength

    def _pixels(self, outline: NDArray[np.float64] | Outline) -> NDArray[np.int32]:
        """In sixteenths of a pixel, as cv2 takes them."""
        places = np.array(outline) * (self.w, self.h) + (self.x, self.y)
        return np.round(places * 16).astype(np.int32)


def _mask_outline(rng: Random, top: float) -> Outline:
    half, side = rng.uniform(0.42, 0.54), rng.uniform(-0.02, 0.12)
    jaw, chin = rng.uniform(0.26, 0.4), rng.uniform(0.47, 0.6)
    wide = half * rng.uniform(0.85, 1.0)
    return [
        (-half, top + side), (-0.2, top + 0.06), (0, top), (0.2, top + 0.06), (half, top + side),
        (wide, jaw), (0.6 * wide, chin - 0.04), (0, chin), (-0.6 * wide, chin - 0.04), (-wide, jaw),
    ]  # fmt: skip


def _glasses(face: _Face, rng: Random, dark: bool | None = None) -> None:
    """Dark or clear ones; by chance where nobody says."""
    level, wide = rng.uniform(-0.2, -0.06), rng.uniform(0.14, 0.21)
    high = wide * rng.uniform(0.6, 1.0) * face.w / face.h
    chance, grey = rng.random() < 0.5, rng.uniform(0, 70)
    dark = chance if dark is None else dark
    for side in (-0.22, 0.22):
        reach = ((face.u - side) / wide) ** 2 + ((face.v - level) / high) ** 2
        inside = reach < 1 if dark else abs(reach - 1) < 0.25
        face.blend(grey, inside.astype(np.float32))
    face.line((-0.08, level), (0.08, level), 0.025, grey)


def _sunglasses(face: _Face, rng: Random) -> None:
    _glasses(face, rng, dark=True)


def _hat(face: _Face, rng: Random) -> None:
    brim = rng.uniform(-0.42, -0.25)
    edge = [(-0.65, brim + 0.03), (0, brim - 0.03), (0.65, brim + 0.03)]
    face.lay([*edge, (0.6, -1.2), (-0.6, -1.2)], face.cloth(rng))


def _side(face: _Face, rng: Random) -> None:
    """Something stands before one side of the face."""
    side, part = (1 if rng.random() < 0.5 else -1), rng.uniform(0.15, 0.4)
    edge = 0.5 - part
    outline = [(side * edge, -0.9), (side * 1.2, -0.9), (side * 1.2, 0.9), (side * edge, 0.9)]
    face.lay(outline, face.cloth(rng))


def _scarf(face: _Face, rng: Random) -> None:
    """Up to below the mouth."""
    top = rng.uniform(0.4, 0.52)
    rim = [(-0.8, top - 0.1), (-0.3, top + 0.03), (0, top + 0.05), (0.3, top + 0.03)]
    face.lay([*rim, (0.8, top - 0.1), (0.9, 1.3), (-0.9, 1.3)], face.cloth(rng))


def _mask(face: _Face, rng: Random) -> None:
    face.mask(rng, 0.0)


def _mask_below_the_chin(face: _Face, rng: Random) -> None:
    face.mask(rng, rng.uniform(0.42, 0.6))


def _hand(face: _Face, rng: Random) -> None:
    """Fingers from below or from a side."""
    skin = face.light * rng.uniform(0.8, 1.2)
    wrist = np.array([rng.uniform(-0.7, 0.7), 0.85])
    tips = np.array([rng.uniform(-0.35, 0.35), rng.uniform(0.05, 0.4)])
    spread, width = rng.uniform(0.07, 0.13), rng.uniform(0.08, 0.12)
    for finger in range(int(rng.integers(1, 5))):
        tip = np.add(tips, ((finger - 1.5) * spread, abs(finger - 1.5) * 0.04))
        start = np.add(wrist, ((finger - 1.5) * spread, 0))
        face.line(start, tip, width + 0.02, skin * 0.72)
        face.line(start, tip, width, skin * rng.uniform(0.94, 1.06))


def _microphone(face: _Face, rng: Random) -> None:
    """Or a cup: a ball before the mouth, and what it is held by."""
    place = (rng.uniform(-0.2, 0.2), rng.uniform(0.3, 0.5))
    size, grey = rng.uniform(0.08, 0.17), rng.uniform(10, 120)
    end = (place[0] + rng.uniform(-0.4, 0.4), place[1] + 0.8)
    face.line(place, end, size, grey * 0.8)
    reach = ((face.u - place[0]) ** 2 + ((face.v - place[1]) * face.h / face.w) ** 2) / size**2
    face.blend(grey + noise(rng, face.image.shape) * 6, np.clip((1 - reach) * 4, 0, 1))


def _beard(face: _Face, rng: Random) -> None:
    """Dark on cheeks and chin, with the mouth left free."""
    cheeks = np.clip((face.v - 0.12 - 0.5 * (0.5 - abs(face.u))) * 8, 0, 1)
    jaw = np.clip((1 - (face.u / 0.48) ** 2 - (face.v / 0.56) ** 2) * 5, 0, 1)
    mouth = np.clip((1 - (face.u / 0.17) ** 2 - ((face.v - 0.29) / 0.05) ** 2) * 3, 0, 1)
    lip = np.clip((1 - (face.u / 0.22) ** 2 - ((face.v - 0.22) / 0.05) ** 2) * 3, 0, 1)
    weight = np.maximum(cheeks * jaw, lip) * (1 - mouth) * rng.uniform(0.4, 0.9)
    hair = face.light * rng.uniform(0.2, 0.7) + noise(rng, face.image.shape) * rng.uniform(4, 16)
    face.blend(hair, weight.astype(np.float32))


ABOVE: tuple[Cover, ...] = (_glasses, _hat, _side)
MASK: Cover = _mask
SUNGLASSES: Cover = _sunglasses
PARTS: tuple[Cover, ...] = (_mask, _glasses, _mask, _glasses, _hat, _side, _hand)
"""What a known face may wear or hold; masks and glasses most often."""
BELOW: tuple[Cover, ...] = (_scarf, _mask_below_the_chin, _hand, _microphone, _beard)


def _finished(face: _Face, rng: Random) -> Photo:
    """Perhaps one more cover; then through what sources differ in: frame, resolution and JPEG."""
    if rng.random() < 0.25:
        ABOVE[int(rng.integers(len(ABOVE)))](face, rng)
    image, boxes = _framed(face.image, face.boxes, rng)
    if rng.random() < 0.35:
        image = soften(image, rng, 0.3)
    if rng.random() < 0.35:
        image = recompress(image, rng)
    return photo_of(image, boxes)


def _framed(image: Luma, boxes: Boxes, rng: Random) -> tuple[Luma, Boxes]:
    """Perhaps cut off close around the face; perhaps something made up around what is there.

    One source has tight upright cuts and the other wide ones: the grey beyond them tells a net the
    class.
    """
    x, y, w, h = boxes[0]
    if rng.random() < 0.4:
        left, top, right, bottom = rng.uniform(0.42, 0.8, 4)
        rows = slice(max(0, round(float(y - top * h))), max(1, round(float(y + bottom * h))))
        columns = slice(max(0, round(float(x - left * w))), max(1, round(float(x + right * w))))
        image = image[rows, columns]
        boxes = boxes - np.array([[columns.start, rows.start, 0, 0]], np.float32)
    if rng.random() < 0.6:
        edge = int(max(w, h) / 3)
        mode = (cv2.BORDER_REPLICATE, cv2.BORDER_REFLECT, cv2.BORDER_CONSTANT)[rng.integers(3)]
        grey = int(rng.integers(0, 256))
        image = np.asarray(
            cv2.copyMakeBorder(image, edge, edge, edge, edge, mode, value=grey), np.uint8
        )
        boxes = boxes + np.array([[edge, edge, 0, 0]], np.float32)
    return image, boxes
