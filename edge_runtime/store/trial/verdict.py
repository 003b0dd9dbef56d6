"""What a trial may use, and what came of it."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class Limits:
    """What a file may take from the machine while it is tried."""

    wall_s: float = 60.0
    """From the start of the process to its last word. Ample: what runs at low priority on a busy
    board waits most of the time, and ``cpu_s`` ends an endless loop."""
    cpu_s: int = 20
    """Processor seconds after the interpreter was imported."""
    memory_mb: int = 512
    """MiB of address space beyond what the imported interpreter has."""
    model_bytes: int = 64 << 20
    report_bytes: int = 256 << 10
    """What the process may write before it is ended."""


DEFAULT_LIMITS: Final = Limits()


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured while the model ran, on one thread and at low priority."""

    backend: str
    median_ms: float
    p95_ms: float
    runs: int
    """How many the two figures above are of."""
    memory_mb: float
    """MiB by which the process grew, at its peak, from loading the model on."""
    accuracy: float | None
    """Share of the examples it got right; None without examples."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a model may be used here."""

    ok: bool
    reason: str
    """One sentence: what is wrong with the file, or that nothing was found."""
    sha256: str | None = None
    """Of the bytes that were tried; None when they could not be read."""
    figures: Figures | None = None
    """None unless it ran to the end."""
    gaps: tuple[str, ...] = ()
    """Which of the fences around the process this system does not allow, each in a few words."""

    def as_json(self) -> dict[str, Any]:
        """The same as plain values."""
        return dataclasses.asdict(self)
