"""Recognizes the faces that are followed: a few looks at each, on its best crops, then seldom.

A face is looked at every ``PACE``-th frame until the evidence says who it is, one face a frame, so
that a group costs no frame more than one look. After that one look in some seconds is held against
what was said: a tracker may slip from one head to another, and a hand may be taken from a face.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Protocol

from edge_runtime.identity import Identity
from edge_runtime.people.evidence import Evidence, Terms
from edge_runtime.people.sight import Sight, Vector
from edge_runtime.people.turning import Turning
from edge_runtime.types import Box, Picture, Region

PACE: Final = 3
"""Frames between two looks at a face that is not known yet: neighbours look too much alike."""

AGAIN_S: Final = 5.0
"""Seconds after which a face that was recognized is looked at once more."""

UNKNOWN_AGAIN_S: Final = 2.0
"""The same of a face that is unknown: somebody known may have been hidden, or in bad light."""

DENIED: Final = 2
"""Looks, one after the other, that speak against what was said: then it is found out anew."""

FORGET_S: Final = 2.0
"""What was found out about a face that is out of sight is kept for so long."""


class Eyes(Protocol):
    """What looks at a face; people/encoder.py has the one that does."""

    @property
    def invoke_s(self) -> float: ...

    def look(self, picture: Picture, face: Box) -> Sight: ...


@dataclass(slots=True)
class _Known:
    """What is known of one face."""

    seen_at: float
    evidence: Evidence = field(default_factory=Evidence)
    turning: Turning = field(default_factory=Turning)
    identity: Identity = field(default_factory=lambda: Identity("unsure"))
    looked_frame: int = -(10**9)
    looked_at: float = float("-inf")
    denied: int = 0


class Recognizer:
    """Says of each face in one view who it is."""

    def __init__(self, eyes: Eyes, terms: Terms) -> None:
        self._eyes = eyes
        self._terms = terms
        self._known: dict[int, _Known] = {}
        self._frame = 0
        self.invoke_s = 0.0
        """Seconds the last frame spent inside interpreters."""
        self.looks = 0
        """Faces looked at since the start."""

    def exchange(self, eyes: Eyes, terms: Terms) -> None:
        """From the next frame on with other people or another model: everybody is found out anew.

        Not while a frame is processed.
        """
        self._eyes, self._terms = eyes, terms
        self._known = {}

    def recognize(
        self, picture: Picture, regions: Sequence[Region], now: float
    ) -> dict[int, Identity]:
        """Who each region's face is, by its number; looks at one of them at most."""
        self._frame += 1
        self.invoke_s = 0.0
        known = self._known
        for region in regions:
            each = known.get(region.track)
            if each is None:
                known[region.track] = _Known(now)
            else:
                each.seen_at = now
        if len(known) > len(regions):
            self._known = known = {
                track: each for track, each in known.items() if now - each.seen_at <= FORGET_S
            }
        due = self._due(regions, now)
        if due is not None:
            self._look(picture, due, now)
        return {region.track: known[region.track].identity for region in regions}

    def _due(self, regions: Sequence[Region], now: float) -> Region | None:
        """Of the faces whose turn it is, the one that has waited longest."""
        due = [region for region in regions if self._is_due(self._known[region.track], now)]
        if not due:
            return None
        return min(due, key=lambda region: self._known[region.track].looked_frame)

    def _is_due(self, each: _Known, now: float) -> bool:
        if each.identity.verdict == "unsure" or each.denied:
            return self._frame - each.looked_frame >= PACE
        pause_s = AGAIN_S if each.identity.verdict == "known" else UNKNOWN_AGAIN_S
        return now - each.looked_at >= pause_s

    def _look(self, picture: Picture, region: Region, now: float) -> None:
        each = self._known[region.track]
        each.looked_frame, each.looked_at = self._frame, now
        sight = self._eyes.look(picture, region.box)
        self.looks += 1
        self.invoke_s = self._eyes.invoke_s
        each.turning.see(sight.quality, now)
        if sight.vector is None:
            each.identity = replace(each.identity, hindrance=sight.hindrance)
        elif each.identity.verdict == "unsure":
            each.evidence.add(sight.vector, self._terms)
            each.identity = each.evidence.says(self._terms)
        else:
            self._hold_against(each, sight.vector)
        if each.turning.seen and not each.identity.turned:
            each.identity = replace(each.identity, turned=True)

    def _hold_against(self, each: _Known, vector: Vector) -> None:
        """One more look at a face of which something was said."""
        alone = Evidence()
        alone.add(vector, self._terms)
        if self._agrees(each.identity, alone):
            each.denied = 0
            return
        each.denied += 1
        if each.denied >= DENIED:
            # Another head, or a first answer that was wrong: begin again with what is there now.
            each.evidence, each.denied = alone, 0
            each.turning = Turning()
            each.identity = alone.says(self._terms)

    def _agrees(self, said: Identity, alone: Evidence) -> bool:
        """Whether a single look is what it would be of the same person."""
        if said.name is not None:
            return alone.of(said.name, self._terms) > 0
        return alone.says(self._terms).evidence <= 0
