"""Enrolling somebody: which sights of a face are kept, and what to say to who stands there.

Kept is what is good, of the same person and unlike what is kept already, so that the templates show
a face from several sides and in several lights.
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

import numpy as np

from edge_runtime.people.encoder import EmbeddingDescription
from edge_runtime.people.sight import Sight, Vector
from edge_runtime.people.template import MOST_TEMPLATES, Template, spread

WANTED: Final = 5
"""Views that make a good enrolment; fewer do where there are no more pictures."""

MOST_CANDIDATES: Final = 64

ALIKE: Final = 0.97
"""Cosine from which on a sight shows nothing new."""

TURNED: Final = 0.08
"""Yaw from which on a view is one from the side: the nose that far from the middle."""

Outcome = Literal["taken", "alike", "hindered", "somebody else"]

_REMEDIES: Final = {
    "too small": "come closer",
    "blurred or too dark": "hold still, and make more light",
    "turned away": "look towards the camera",
    "looking up or down": "look straight ahead",
    "partly hidden": "take away what hides the face",
}


class Progress(NamedTuple):
    """What became of one sight, and what to do next."""

    outcome: Outcome
    views: int
    """Kept so far."""
    advice: str
    """A sentence for who is being enrolled."""


class Enrolment:
    """Gathers the views of one person."""

    def __init__(self, meaning: EmbeddingDescription, model: str) -> None:
        """``model``: SHA-256 of the one that makes the vectors."""
        self._meaning = meaning
        self._model = model
        self._vectors: list[Vector] = []
        self._yaws: list[float] = []

    @property
    def views(self) -> int:
        return len(self._vectors)

    @property
    def complete(self) -> bool:
        """Enough views, some of them from the side."""
        return self.views >= WANTED and self._missing_side() is None

    def see(self, sight: Sight) -> Progress:
        """One more sight of the face."""
        vector = sight.vector
        if vector is None:
            reason = sight.hindrance or "not to be told"
            advice = f"The face is {reason}: {_REMEDIES.get(reason, 'try again')}."
            return Progress("hindered", self.views, advice)
        nearest = max((float(vector @ each) for each in self._vectors), default=None)
        if nearest is not None and self._meaning.slope * nearest + self._meaning.intercept < 0:
            advice = "This is somebody else than before: one person at a time."
            return Progress("somebody else", self.views, advice)
        if nearest is not None and (nearest >= ALIKE or self.views >= MOST_CANDIDATES):
            return Progress("alike", self.views, self._advice())
        self._vectors.append(vector)
        self._yaws.append(sight.quality.yaw)
        return Progress("taken", self.views, self._advice())

    def templates(self) -> tuple[Template, ...]:
        """The views to keep, as different as they come."""
        if not self._vectors:
            return ()
        kept = spread(np.stack(self._vectors), MOST_TEMPLATES)
        return tuple(Template(self._vectors[index], self._model) for index in kept)

    def _advice(self) -> str:
        side = self._missing_side()
        if side is not None:
            return f"Turn the head a little to the {side}."
        if self.views < WANTED:
            return "Come a little closer or go back, or change the light."
        return "That is enough."

    def _missing_side(self) -> str | None:
        """The side from which no view was taken, as who stands there sees it."""
        # The picture's left is the person's right.
        if not any(yaw < -TURNED for yaw in self._yaws):
            return "right"
        if not any(yaw > TURNED for yaw in self._yaws):
            return "left"
        return None
