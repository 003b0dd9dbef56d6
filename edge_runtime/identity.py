"""Who a face is, as far as is known: the noun that recognition, the page and rules share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["known", "unknown", "unsure"]
"""A name; nobody who is enrolled; not enough seen yet to say either."""


@dataclass(frozen=True, slots=True)
class Identity:
    """What recognition says of one face."""

    verdict: Verdict
    name: str | None = None
    """Of whom the face is; None unless ``known``."""
    score: float | None = None
    """Cosine between what was seen so far and the nearest person, -1 to 1; None before a sight."""
    evidence: float = 0.0
    """ln(likelihood that it is the nearest person / that it is a stranger), summed over sights."""
    sights: int = 0
    """Crops that were good enough to count."""
    hindrance: str | None = None
    """Why the last crop did not count, such as ``too small``; None when it did."""
    turned: bool = False
    """Its head was seen to turn as only a head in the round does (see docs/known-faces.md)."""
