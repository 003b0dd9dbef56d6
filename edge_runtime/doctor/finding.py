"""What a check says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["fine", "watch", "act", "unknown"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at."""

    name: str
    state: State
    """``act``: the job will fail or suffer; ``unknown``: this machine does not tell."""
    text: str
    remedy: str | None = None
    """What to do, for ``watch`` and ``act``."""
