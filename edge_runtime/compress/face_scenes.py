"""Training scenes for the glance: faces shrunk, turned, mixed and spoilt on 160 x 120 canvases.

A web photograph shows a large frontal face in good light; a camera on a shelf sees small ones,
from the side, at dusk. Every scene is drawn anew, so the detector never sees the same pixels
twice.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge_runtime.compress.distortion import Random, degrade, hide_part, relight, turn_away
from edge_runtime.compress.photos import Boxes, Luma, Photo
from edge_runtime.compress.placement import Placement, covered, move_boxes, warp

HEIGHT, WIDTH = 120, 160
SMALLEST_FACE_PX = 4.5
"""Below this (geometric mean of width and height) a face is neither asked for nor punished."""
PADDING = 114
SHARES, CALM_SHARES = (0.36, 0.17, 0.19, 0.12, 0.16), (0.56, 0.12, 0.10, 0.06, 0.16)
"""How often each kind of scene is drawn: whole, close, crowd, mosaic, nobody."""
NOBODY = 4
NOBODYS_SHARE = SHARES[NOBODY]
MASKED, PORTRAITS_OF_BARE = 0.23, 2 / 7
"""Of the faces that are set into scenes, and of those that are not from the masked pool."""


class Syllabus(NamedTuple):
    """What scenes are to be like at this point of the training."""

    calm: float = 0.0
    """0: composed and spoilt as wildly as we can; 1: mostly photographs as cameras deliver them.

    The last part of a training is calm, as in YOLOX (arXiv 2107.08430, section 2.1): what the wild
    scenes taught stays, and sizes and places become those of real pictures again.
    """
    difficulty: NDArray[np.float32] | None = None
    """By picture of `Pools.empty`, how badly it still fools the net; None: all alike."""


WILD = Syllabus()


@dataclass(frozen=True)
class Pools:
    """What scenes are drawn from."""

    web: list[Photo]
    portraits: list[Photo]
    masked: list[Photo]
    empty: list[Photo]
    """Pictures without faces; `ignore` marks what might be one."""
    masked_share: float = MASKED
    """How many of the faces that are set into scenes come from the masked people's pictures."""
    nobodys_share: float = NOBODYS_SHARE
    """How many of the scenes show nobody."""


class Scene(NamedTuple):
    """A canvas and its truth."""

    image: Luma
    """[120, 160]"""
    faces: Boxes
    """[n, 4]: centre x, centre y, width, height in canvas pixels."""
    ignore: Boxes
    """[m, 4], same form."""


class Canvas:
    """A scene in the making: layers are laid on it, later ones hide earlier ones."""

    def __init__(self, background: Luma, ignore: Boxes) -> None:
        self.image = background.copy()
        self._owner = np.zeros(background.shape, np.uint8)
        self._layers: list[tuple[Boxes, Boxes]] = [(np.zeros((0, 4), np.float32), ignore)]

    def lay(self, pixels: Luma, where: NDArray[np.bool_], faces: Boxes, ignore: Boxes) -> None:
        """Put a layer's pixels `where` it is; its faces come with it."""
        self._owner[where] = len(self._layers)
        np.copyto(self.image, pixels, where=where)
        self._layers.append((faces, ignore))

    def blend(self, pixels: Luma, weight: NDArray[np.float32], faces: Boxes) -> None:
        """Put a layer with soft edges; it owns what it covers by more than half."""
        mixed = self.image + (pixels.astype(np.float32) - self.image) * weight
        self._owner[weight > 0.5] = len(self._layers)
        self.image = mixed.astype(np.uint8)
        self._layers.append((faces, np.zeros((0, 4), np.float32)))

    def truth(self) -> tuple[Boxes, Boxes]:
        """Faces that can be seen, and boxes to ignore (half hidden, tiny, or doubtful)."""
        faces: list[Boxes] = []
        ignore: list[Boxes] = []
        for number, (sure, doubtful) in enumerate(self._layers):
            seen = np.array([self._visible(box, number) for box in sure])
            size = np.sqrt(sure[:, 2] * sure[:, 3])
            good = (seen > 0.6) & (size >= SMALLEST_FACE_PX)
            faces.append(_clip(sure[good]))
            ignore += [sure[(seen > 0.2) & ~good], doubtful]
        return np.concatenate(faces), np.concatenate(ignore)

    def _visible(self, box: NDArray[np.float32], owner: int) -> float:
        """The part of a box that lies on the canvas and still belongs to its layer."""
        left, top = np.round(box[:2] - box[2:] / 2).astype(int)
        right, bottom = np.maximum(np.round(box[:2] + box[2:] / 2).astype(int), (left + 1, top + 1))
        part = self._owner[max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)]
        return float((part == owner).sum() / ((right - left) * (bottom - top)))


def draw_scene(pools: Pools, rng: Random) -> Scene:
    """One random scene as a camera delivers it."""
    return spoil(compose(pools, rng), rng)


def compose(pools: Pools, rng: Random, syllabus: Syllabus = WILD) -> Scene:
    """One random scene before any camera spoils it."""
    shares = CALM_SHARES if rng.random() < syllabus.calm else SHARES
    kind = int(rng.choice(5, p=_with_nobody(shares, pools.nobodys_share)))
    if kind == NOBODY:
        canvas = _nobody(pools, rng, syllabus.difficulty)
    else:
        canvas = (_whole, _close, _crowd, _mosaic)[kind](pools, rng)
    return Scene(canvas.image, *canvas.truth())


def _with_nobody(shares: tuple[float, ...], nobody: float) -> NDArray[np.float64]:
    """The shares with another one for scenes without a face, the others shrunk alike."""
    mixed = np.array(shares) * (1 - nobody) / (1 - shares[NOBODY])
    mixed[NOBODY] = nobody
    return mixed


def spoil(scene: Scene, rng: Random, syllabus: Syllabus = WILD) -> Scene:
    """The scene with some faces turned away or partly hidden, and through a bad camera."""
    if rng.random() < syllabus.calm / 2:
        return scene
    image = scene.image.copy()
    large = scene.faces[:, 2:].min(1, initial=np.inf) >= 8
    away = large & (rng.random(len(large)) < 0.07)
    for box, gone, roomy in zip(scene.faces, away, large, strict=True):
        if gone:
            turn_away(image, box, rng)
        elif roomy and rng.random() < 0.15:
            hide_part(image, box, rng)
    return Scene(degrade(image, rng), scene.faces[~away], scene.ignore)


def mirror(scene: Scene) -> Scene:
    """Left and right exchanged."""
    flip, shift = np.array([-1, 1, 1, 1], np.float32), np.array([WIDTH, 0, 0, 0], np.float32)
    return Scene(
        np.ascontiguousarray(scene.image[:, ::-1]),
        scene.faces * flip + shift,
        scene.ignore * flip + shift,
    )


def _whole(pools: Pools, rng: Random) -> Canvas:
    """A whole photograph, letterboxed with jitter: faces at their natural place and size."""
    photo = _pick(pools.web, rng)
    height, width = photo.image.shape
    fit = min(WIDTH / width, HEIGHT / height) * np.exp(rng.uniform(-0.7, 0.35))
    middle = (width / 2, height / 2)
    target = (WIDTH / 2 + rng.normal(0, 16), HEIGHT / 2 + rng.normal(0, 12))
    canvas = _backdrop(pools, rng)
    _lay(canvas, photo, _turned(Placement(middle, target, (fit, fit)), rng), rng)
    return canvas


def _close(pools: Pools, rng: Random) -> Canvas:
    """One face, of a chosen size, anywhere."""
    canvas = _backdrop(pools, rng)
    photo = _face_photo(pools, rng)
    _lay(canvas, photo, _aimed(photo, _face_size(rng, 0.35), rng), rng)
    return canvas


def _crowd(pools: Pools, rng: Random) -> Canvas:
    """Heads cut out softly and set into a scene."""
    canvas = _backdrop(pools, rng, scenic=0.9)
    size = _face_size(rng, 0.8)
    for _ in range(int(rng.integers(1, 9))):
        photo = _face_photo(pools, rng)
        size = size if rng.random() < 0.5 else _face_size(rng, 0.8)
        _blend_head(canvas, photo, min(size, 45.0) * rng.uniform(0.8, 1.25), rng)
    return canvas


def _mosaic(pools: Pools, rng: Random) -> Canvas:
    """Several photographs side by side, each in its own cell."""
    canvas = _backdrop(pools, rng)
    rows, columns = int(rng.integers(1, 4)), int(rng.integers(2, 5))
    ys = np.linspace(0, HEIGHT, rows + 1).astype(int)
    xs = np.linspace(0, WIDTH, columns + 1).astype(int)
    for row in range(rows):
        for column in range(columns):
            cell = (xs[column], ys[row], xs[column + 1], ys[row + 1])
            _lay_cell(canvas, pools, cell, rng)
    return canvas


def _nobody(pools: Pools, rng: Random, difficulty: NDArray[np.float32] | None) -> Canvas:
    """No face at all, or none that is asked for."""
    if rng.random() < 0.25:
        photo = _pick(pools.web, rng)
        return _faceless(photo, rng) or _scenery(_pick(pools.empty, rng), rng)
    if difficulty is None or rng.random() < 0.5:
        return _scenery(_pick(pools.empty, rng), rng)
    reached = np.cumsum(difficulty)
    return _scenery(pools.empty[int(np.searchsorted(reached, rng.random() * reached[-1]))], rng)


def _backdrop(pools: Pools, rng: Random, scenic: float = 0.6) -> Canvas:
    """What is behind: a picture without faces, or the bars of a letterbox."""
    if rng.random() >= scenic:
        grey = PADDING if rng.random() < 0.7 else int(rng.integers(0, 256))
        return Canvas(np.full((HEIGHT, WIDTH), grey, np.uint8), np.zeros((0, 4), np.float32))
    return _scenery(_pick(pools.empty, rng), rng)


def _scenery(photo: Photo, rng: Random) -> Canvas:
    """A part of a picture without faces, filling the canvas."""
    height, width = photo.image.shape
    fill = max(WIDTH / width, HEIGHT / height) * np.exp(rng.uniform(-0.1, 0.8))
    pivot = (width * rng.uniform(0.3, 0.7), height * rng.uniform(0.3, 0.7))
    place = Placement(pivot, (WIDTH / 2, HEIGHT / 2), (fill * _sign(rng), fill), rng.normal(0, 0.1))
    pixels = relight(warp(photo, place.affine, (HEIGHT, WIDTH)), rng, 0.6)
    return Canvas(pixels, move_boxes(photo.ignore, place.affine))


def _faceless(photo: Photo, rng: Random) -> Canvas | None:
    """A part of a photograph that shows no face; None when a few tries find none."""
    height, width = photo.image.shape
    everyone = np.concatenate([photo.faces, photo.ignore])
    for _ in range(4):
        zoom = rng.uniform(0.7, 2.5) * max(WIDTH / width, HEIGHT / height)
        pivot = (width * rng.uniform(0.1, 0.9), height * rng.uniform(0.4, 1.0))
        place = Placement(pivot, (WIDTH / 2, HEIGHT / 2), (zoom * _sign(rng), zoom))
        boxes = move_boxes(everyone, place.affine)
        reach = np.abs(boxes[:, :2] - (WIDTH / 2, HEIGHT / 2)) - boxes[:, 2:] / 2
        if not np.any(np.all(reach < (WIDTH / 2, HEIGHT / 2), axis=1)):
            return Canvas(
                warp(photo, place.affine, (HEIGHT, WIDTH), PADDING), np.zeros((0, 4), np.float32)
            )
    return None


def _lay(canvas: Canvas, photo: Photo, place: Placement, rng: Random) -> None:
    affine = place.affine
    pixels = relight(warp(photo, affine, (HEIGHT, WIDTH)), rng, 0.4)
    where = covered(photo, affine, (HEIGHT, WIDTH))
    canvas.lay(pixels, where, move_boxes(photo.faces, affine), move_boxes(photo.ignore, affine))


def _lay_cell(canvas: Canvas, pools: Pools, cell: tuple[int, int, int, int], rng: Random) -> None:
    left, top, right, bottom = cell
    photo = _face_photo(pools, rng)
    size = min(_face_size(rng, 0.7), 0.9 * min(right - left, bottom - top))
    middle = (rng.uniform(left, right), rng.uniform(top, bottom))
    affine = replace(_aimed(photo, size, rng), target=middle).affine
    inside = np.zeros((HEIGHT, WIDTH), bool)
    inside[top:bottom, left:right] = True
    pixels = relight(warp(photo, affine, (HEIGHT, WIDTH)), rng, 0.6)
    where = inside & covered(photo, affine, (HEIGHT, WIDTH))
    canvas.lay(pixels, where, move_boxes(photo.faces, affine), move_boxes(photo.ignore, affine))


def _blend_head(canvas: Canvas, photo: Photo, size: float, rng: Random) -> None:
    """One head with its hair and neck, edges faded; other faces of the photograph are left out."""
    face = photo.faces[rng.integers(len(photo.faces))]
    place = _turned(_aim(face, size, rng), rng)
    boxes = move_boxes(face[None], place.affine)
    rows, columns = np.ogrid[:HEIGHT, :WIDTH]
    reach = boxes[0, 2:] * (rng.uniform(0.75, 1.1), rng.uniform(0.8, 1.2))
    far = ((columns - place.target[0]) / reach[0]) ** 2 + ((rows - place.target[1]) / reach[1]) ** 2
    fade = rng.uniform(1.5, 6.0)
    weight = np.clip((1 - far) * fade + 0.5, 0, 1) * covered(photo, place.affine, (HEIGHT, WIDTH))
    pixels = relight(warp(photo, place.affine, (HEIGHT, WIDTH)), rng, 0.7)
    canvas.blend(pixels, weight.astype(np.float32), boxes)


def _face_photo(pools: Pools, rng: Random) -> Photo:
    """A photograph with at least one face: mostly web, also portraits and masked people."""
    bare = 1 - pools.masked_share
    shares = (bare * (1 - PORTRAITS_OF_BARE), bare * PORTRAITS_OF_BARE, pools.masked_share)
    pool = (pools.web, pools.portraits, pools.masked)[int(rng.choice(3, p=shares))]
    while True:
        photo = _pick(pool, rng)
        if len(photo.faces):
            return photo


def _aimed(photo: Photo, size: float, rng: Random) -> Placement:
    return _turned(_aim(photo.faces[rng.integers(len(photo.faces))], size, rng), rng)


def _aim(face: NDArray[np.float32], size: float, rng: Random) -> Placement:
    """Lay a face, `size` pixels across (geometric mean), somewhere on the canvas."""
    scale = size / float(np.sqrt(face[2] * face[3]))
    target = (rng.uniform(0.02, 0.98) * WIDTH, rng.uniform(0.03, 0.97) * HEIGHT)
    return Placement((float(face[0]), float(face[1])), target, (scale, scale))


def _turned(place: Placement, rng: Random) -> Placement:
    """Mirrored half of the time, rotated (some much), now and then squeezed as a profile is."""
    squeeze = rng.uniform(0.62, 0.9) if rng.random() < 0.2 else np.exp(rng.normal(0, 0.07))
    angle = rng.normal(0, np.radians(8)) if rng.random() < 0.8 else rng.uniform(-0.7, 0.7)
    return replace(
        place, scale=(place.scale[0] * squeeze * _sign(rng), place.scale[1]), angle=float(angle)
    )


def _face_size(rng: Random, small: float) -> float:
    """Pixels across, log-uniform: 5.5 to 20 with chance `small`, else 14 to 100."""
    low, high = (5.5, 20.0) if rng.random() < small else (14.0, 100.0)
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def _pick(pool: list[Photo], rng: Random) -> Photo:
    return pool[int(rng.integers(len(pool)))]


def _sign(rng: Random) -> int:
    return 1 if rng.random() < 0.5 else -1


def _clip(boxes: Boxes) -> Boxes:
    """Boxes cut at the canvas border."""
    low = np.clip(boxes[:, :2] - boxes[:, 2:] / 2, 0, (WIDTH, HEIGHT))
    high = np.clip(boxes[:, :2] + boxes[:, 2:] / 2, 0, (WIDTH, HEIGHT))
    return np.hstack([(low + high) / 2, high - low]).astype(np.float32)
