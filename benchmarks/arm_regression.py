"""Did a stage's instructions grow since the figures were kept? The release check's arithmetic."""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

KEPT = Path(__file__).parent / "results" / "arm_instructions.json"
ALLOWED = 0.03
"""Share by which a stage may grow. Python's own counts differ by a few in a thousand."""

Figures = dict[str, dict[str, float]]
"""Instructions by processor and stage."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """One stage on one processor, then and now."""

    cpu: str
    stage: str
    kept: float | None
    """None: no figure was kept, so there is nothing to hold it to."""
    now: float | None
    """None: the stage was not counted, and a check that skips it proves nothing."""

    @property
    def failed(self) -> bool:
        if self.kept is None or self.now is None:
            return True
        return self.now > self.kept * (1 + ALLOWED)

    def __str__(self) -> str:
        name = f"{'FAIL' if self.failed else 'ok  '} {self.cpu}, {self.stage}: "
        if self.kept is None:
            return f"{name}no kept figure; --keep writes one"
        if self.now is None:
            return f"{name}kept, and not counted now"
        change = self.now / self.kept - 1
        return f"{name}{self.kept / 1e6:.3f} M -> {self.now / 1e6:.3f} M ({change:+.2%})"


def medians(found: Mapping[str, Mapping[str, Sequence[int]]]) -> Figures:
    """The middle run of every stage."""
    return {
        cpu: {stage: statistics.median(runs) for stage, runs in stages.items()}
        for cpu, stages in found.items()
    }


def compared(kept: Figures, now: Figures) -> list[Verdict]:
    """A verdict for every stage that either side knows."""
    known = dict.fromkeys((c, s) for figures in (kept, now) for c in figures for s in figures[c])
    return [
        Verdict(cpu, stage, kept.get(cpu, {}).get(stage), now.get(cpu, {}).get(stage))
        for cpu, stage in known
    ]


def read_kept(file: Path) -> Figures:
    """As ``write_kept`` left it; without a file nothing was kept."""
    return json.loads(file.read_text()) if file.exists() else {}


def write_kept(file: Path, figures: Figures) -> None:
    file.write_text(json.dumps(figures, indent=2) + "\n")
