"""What to look at next within a budget: the whole view, faces that are followed, tiles.

Everything that could be looked at gathers surprise: the rate at which something new happens there
times the time since it was last seen, so that one look is worth about 1 when it is due. Faces
gather it with their speed and their doubt, tiles with the motion in them, with what was found there
before, and slowly by themselves. The looks with the most surprise are taken until the budget is
spent or nothing is worth a look.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from edge_runtime import imaging
from edge_runtime.attention.motion import CELL, Motion, Spans, spans_of
from edge_runtime.attention.overlap import Boxes
from edge_runtime.attention.tracker import Expected
from edge_runtime.attention.window import Views, fovea, glance_window, pyramid
from edge_runtime.types import Box, Detection, Look

DUE: Final = 0.999
"""Surprise worth a look; not 1, because thirty times a thirtieth is less."""

MOVING_VIEW: Final = 12.0
"""Surprise a second of the glance while something moves: somebody may come in."""

MOVING_TILE: Final = 10.0
"""Surprise a second of a tile full of motion, on the level below the glance; half of it a level
further down."""

FULL_OF_MOTION: Final = 0.1
"""Share of a tile's cells that move from which on it counts as full of motion."""

FAMILIAR: Final = 4.0
"""How much faster a tile becomes due where faces are always found than where none ever was."""

LEARNING: Final = 0.05
"""Weight of the newest look in a tile's share of looks that found a face: the slow prior."""

FOLLOWED_WELL: Final = 0.5
"""Fitness from which on a look tells where a followed face is: 13 px of the input and more."""

JUDGED_WELL: Final = 0.85
"""Fitness from which on a look tells whether something is a face: 19 to 41 px of the input."""

FIRST: Final = 3.0
"""Surprise of the glance at a new view: more than any tile's, for most faces are found by it."""

CENTRAL: Final = 0.25
"""Spread, in picture sides, of what a scene never seen before holds: what matters is put in the
middle of a picture (Tatler, "The central fixation bias in scene viewing", J. Vision 2007)."""

ANSWERED_S: Final = 0.5
"""Where a closer look followed a hint, no other hint is followed for so long."""

HINT: Final = 1.0
"""Surprise of a hint: worth one closer look."""

MOST_FOVEAE: Final = 8
"""Windows of their own, for the faces with the most surprise: a budget has no room for more."""

MOST_HINTS: Final = 4
"""Of a frame, the surest, for the same reason."""


class Gaze:
    """Plans the looks at each frame of one view. Pictures of another size begin a new view."""

    def __init__(
        self,
        view: tuple[int, int],
        *,
        smallest_face: float = 0.02,
        unseen_s: float = 10.0,
        idle_interval_s: float = 1.0,
        motion_threshold: float = 0.004,
    ) -> None:
        """``view``: width and height of the detector's input. ``smallest_face``: share of the
        picture's longer side; ``unseen_s``: no tile is left unseen for longer while the budget is
        two looks or more and half of it suffices for all tiles in that time.
        """
        self._view = view
        self._smallest_face = smallest_face
        self._unseen_s = unseen_s
        self._idle_interval_s = idle_interval_s
        self._motion_threshold = motion_threshold
        self._picture = (0, 0)
        self._planned_at = 0.0
        self._closer_looks = False
        self._glance_surprise = FIRST
        self._hints: tuple[Box, ...] = ()
        self._answered: list[tuple[Box, float]] = []

    def plan(
        self,
        now: float,
        picture: tuple[int, int],
        motion: Motion,
        expected: Sequence[Expected],
        looks: int | None,
    ) -> tuple[Look, ...]:
        """The looks to take at this frame, the glance first; none when nothing is worth one.

        ``looks``: most of them; None: the whole pyramid whenever anything is worth a look.
        """
        if picture != self._picture:
            self._begin(picture, now)
        self._closer_looks = looks != 1
        elapsed, self._planned_at = now - self._planned_at, now
        self._glance_surprise += elapsed * self._glance_rate(motion)
        if self._motion_threshold == 0:  # who says so wants every frame looked at
            self._glance_surprise = max(self._glance_surprise, DUE)
        if looks == 1:
            due = self._glance_surprise + _most(expected) >= DUE
            return self._taken([0], self._views.windows, now) if due else ()
        self._gather(elapsed, motion, expected)
        if looks is None:
            due = self._glance_surprise + _most(expected) >= DUE
            every = list(range(1 + len(self._tiles)))
            worth = due or bool((self._surprise >= DUE).any())
            return self._taken(every, self._views.windows, now) if worth else ()
        return self._chosen(now, expected, looks) if self._worthwhile(now, expected) else ()

    def _worthwhile(self, now: float, expected: Sequence[Expected]) -> bool:
        """Whether any look may be due: most frames need no plan."""
        most = max(self._glance_surprise, float(self._surprise.max(initial=0.0)))
        return (
            bool(self._hints)
            or most + _most(expected) >= DUE
            or now - float(self._seen_at.min(initial=now)) >= self._unseen_s
        )

    def covered(self, looks: Sequence[Look], boxes: Boxes) -> npt.NDArray[np.bool_]:
        """Which of ``boxes`` (m, 4) a frame's looks would have shown, were a face there: (m,)."""
        if len(looks) == 1 and looks[0].reason == "glance" and not self._closer_looks:
            return np.ones(len(boxes), np.bool_)
        windows = np.array([look.window for look in looks], np.float32).reshape(-1, 4)
        return np.asarray(Views(windows, self._view[0]).shown(boxes).any(axis=0))

    def hint(self, boxes: Sequence[Box], now: float) -> None:
        """Places where a look found something too faint, or cut off: the next plan looks closer."""
        self._answered = [(box, at) for box, at in self._answered if now - at < ANSWERED_S]
        self._hints = tuple(
            box
            for box in boxes[:MOST_HINTS]
            if all(box.iou(other) < 0.2 for other, _ in self._answered)
        )

    def learn(self, looks: Sequence[Look], faces: Sequence[Detection]) -> None:
        """Remember in which of the tiles looked at a face was found."""
        for look in looks:
            index = self._index.get(look.window)
            if index is not None:
                found = any(_holds(look.window, face.box) for face in faces)
                self._prior[index] += LEARNING * (found - self._prior[index])
                familiar = 1 + (FAMILIAR - 1) * self._prior[index]
                self._rate[index] = familiar / self._unseen_s

    def _begin(self, picture: tuple[int, int], now: float) -> None:
        self._picture = picture
        self._planned_at = now
        self._tiles = pyramid(picture, self._view, self._smallest_face * max(picture))
        glance = glance_window(picture, self._view)
        self._views = Views(
            np.concatenate([np.array([glance], np.float32), self._tiles]), self._view[0]
        )
        self._within: dict[int, npt.NDArray[np.bool_]] = {}
        self._surprise = DUE * (1 + _central(self._tiles, picture))
        self._seen_at = np.full(len(self._tiles), now)
        self._prior = np.zeros(len(self._tiles))
        self._rate = np.full(len(self._tiles), 1 / self._unseen_s)
        self._glance_surprise = FIRST
        self._hints = ()
        self._answered = []
        self._index = {Box(*map(float, tile)): i for i, tile in enumerate(self._tiles)}
        self._fit = imaging.letterbox_fit(picture, self._view)
        self._spans = Spans(
            spans_of(self._tiles, self._fit, self._view),
            (self._view[1] // CELL, self._view[0] // CELL),
        )
        # Of two tiles full of motion the larger shows more of what moves.
        self._moving_rate = MOVING_TILE * self._tiles[:, 2] / self._tiles[:, 2].max(initial=1.0)

    def _glance_rate(self, motion: Motion) -> float:
        if motion.share >= self._motion_threshold:
            return MOVING_VIEW
        return 1 / self._idle_interval_s

    def _gather(self, elapsed: float, motion: Motion, expected: Sequence[Expected]) -> None:
        rate = self._rate
        if motion.share > 0 and len(self._tiles):
            moving = self._spans.shares(self._unexplained(motion, expected))
            rate = rate + self._moving_rate * np.minimum(moving / FULL_OF_MOTION, 1)
        self._surprise += elapsed * rate

    def _unexplained(self, motion: Motion, expected: Sequence[Expected]) -> npt.NDArray[np.bool_]:
        """The motion that nobody who is followed makes: a body below a face surprises no one."""
        bodies = [_body(each.box) for each in expected if not each.doubtful]
        if not bodies:
            return motion.cells
        cells = motion.cells.copy()
        spans = spans_of(np.array(bodies, np.float32), self._fit, self._view)
        for left, top, right, bottom in spans.tolist():
            cells[top:bottom, left:right] = False
        return cells

    def _chosen(self, now: float, expected: Sequence[Expected], looks: int) -> tuple[Look, ...]:
        hints, self._hints = self._hints, ()
        expected = (*expected, *(Expected(box, HINT, doubtful=True) for box in hints))
        self._answered += [(box, now) for box in hints]
        faces = np.array([each.box for each in expected], np.float32).reshape(-1, 4)
        doubt = np.array([each.surprise for each in expected])
        foveae, shows = self._sights(faces, doubt, [each.doubtful for each in expected])
        own = np.zeros(len(shows))
        own[0] = self._glance_surprise
        own[1 : len(self._views)] = self._surprise
        windows = np.concatenate([self._views.windows, foveae.windows])
        chosen: list[int] = []
        late = self._late(now, looks)
        while len(chosen) < looks:
            value = _values(own, shows, doubt)
            best = late.pop() if late and chosen else int(value.argmax())
            if value[best] < DUE:
                break
            chosen.append(best)
            own[: len(self._views)][self._shown_by(best, windows)] = 0
            if len(foveae):
                own[len(self._views) :][foveae.within(windows[best])] = 0
            if len(doubt):
                doubt[shows[best] > 0] = 0
            late = [index for index in late if own[index] > 0]
        return self._taken(sorted(chosen), windows, now)

    def _sights(
        self, faces: Boxes, doubt: npt.NDArray[np.float64], doubtful: Sequence[bool]
    ) -> tuple[Views, npt.NDArray[np.float32]]:
        """Windows of their own around the faces (m) with the most ``doubt`` (m,), and how well the
        view's windows, then those, show each face: (n, m).
        """
        shows = self._views.fitness(faces)
        least = np.where(doubtful, JUDGED_WELL, FOLLOWED_WELL)
        worth = np.flatnonzero(shows[0] < least)
        if len(worth) > MOST_FOVEAE:
            worth = worth[np.argsort(-doubt[worth], kind="stable")[:MOST_FOVEAE]]
        foveae = self._foveae(faces[worth])
        # The tile that found a doubtful face would only say the same again.
        shows[1:, doubtful] = 0
        if len(foveae):
            shows = np.concatenate([shows, foveae.fitness(faces)])
        # Of a face that fills the picture no window shows it as well as that.
        shows *= shows >= np.minimum(least, np.maximum.reduce(shows))
        return foveae, shows

    def _late(self, now: float, looks: int) -> list[int]:
        """Tiles unseen for too long, the latest last; at most half of the looks go to them."""
        waited = now - self._seen_at
        late = np.flatnonzero(waited >= self._unseen_s)
        if not late.size:
            return []
        return [int(i) + 1 for i in late[np.argsort(waited[late], kind="stable")][-(looks // 2) :]]

    def _foveae(self, faces: Boxes) -> Views:
        around = [fovea(Box(*face), self._picture, self._view) for face in faces.tolist()]
        return Views(np.array(around, np.float32).reshape(-1, 4), self._view[0])

    def _taken(self, chosen: Sequence[int], windows: Boxes, now: float) -> tuple[Look, ...]:
        """The looks of these windows; whatever they show is seen, and gathers surprise anew."""
        looks = []
        for index in chosen:
            window = Box(*map(float, windows[index]))
            if index == 0:
                self._glance_surprise = 0.0
                looks.append(Look(Box(0.0, 0.0, *map(float, self._picture)), "glance"))
                continue
            seen = self._shown_by(index, windows)[1:]
            self._surprise[seen] = 0
            self._seen_at[seen] = now
            looks.append(Look(window, "tile" if index <= len(self._tiles) else "face"))
        return tuple(looks)

    def _shown_by(self, index: int, windows: Boxes) -> npt.NDArray[np.bool_]:
        """Which windows of the view one of ``windows`` shows as well; those of the view itself,
        which come first, are asked about again and again.
        """
        if index >= len(self._views):
            return self._views.within(windows[index])
        if index not in self._within:
            self._within[index] = self._views.within(windows[index])
        return self._within[index]


def _most(expected: Sequence[Expected]) -> float:
    return max((each.surprise for each in expected), default=0.0)


def _values(
    own: npt.NDArray[np.float64],
    shows: npt.NDArray[np.float32],
    doubt: npt.NDArray[np.float64],
) -> npt.NDArray[np.float64]:
    """What each window is worth: its own surprise and that of all faces it shows.

    Windows that are not due are worth nothing. What makes one due is its own surprise and the
    greatest of its faces', not the sum: a crowd need not be looked at more often than a face.
    """
    if not len(doubt):
        return own
    due = own + np.maximum.reduce((shows > 0) * doubt, axis=1) >= DUE
    return np.asarray(np.maximum(own + shows @ doubt, DUE) * due)


def _central(tiles: Boxes, picture: tuple[int, int]) -> npt.NDArray[np.float64]:
    """How central each tile (n) is, 1 in the middle of the picture: (n,)."""
    middle = (tiles[:, :2] + tiles[:, 2:] / 2) / np.array(picture, np.float64) - 0.5
    apart = np.add.reduce(middle * middle, axis=1)
    return np.asarray(np.exp(-apart / (2 * CENTRAL * CENTRAL)), np.float64)


def _body(face: Box) -> Box:
    """Where the rest of somebody is, who shows a face: three faces wide, from the hair down."""
    return Box(face.x - face.w, face.y - face.h / 2, 3 * face.w, 7 * face.h)


def _holds(window: Box, face: Box) -> bool:
    x, y = face.centre
    return window.x <= x <= window.right and window.y <= y <= window.bottom
