"""What the process of a trial is told: one JSON object, its only argument."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path

from edge_runtime.store.manifest import Manifest
from edge_runtime.store.trial.verdict import Limits


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What is known of the model, and what it may use."""

    name: str
    """What sentences call the file."""
    width: int
    height: int
    channels: int
    scale: float
    offset: float
    labels: int
    """How many a classifier has; 0 for other kinds."""
    probabilities: bool
    """Whether a classifier's numbers must lie between 0 and 1."""
    cpu_s: int
    memory_mb: int
    examples: str | None = None
    """A file as ``examples.py`` reads it."""
    least_accuracy: float = 0.0
    """Share of the examples that must come out right."""

    @classmethod
    def of(
        cls,
        name: str,
        manifest: Manifest,
        limits: Limits,
        examples: Path | None = None,
        least_accuracy: float = 0.0,
    ) -> Task:
        """The task of trying a model that is what ``manifest`` says."""
        # Detectors have labels too, but not one for each number that comes out.
        scored = manifest.kind == "crop-classifier"
        return cls(
            name=name,
            width=manifest.input.width,
            height=manifest.input.height,
            channels=manifest.input.channels,
            scale=manifest.input.scale,
            offset=manifest.input.offset,
            labels=len(manifest.labels) if scored else 0,
            probabilities=scored and manifest.activation != "logits",
            cpu_s=limits.cpu_s,
            memory_mb=limits.memory_mb,
            examples=str(examples.absolute()) if examples else None,
            least_accuracy=least_accuracy,
        )

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Of the model's input."""
        return 1, self.height, self.width, self.channels

    def to_json(self) -> str:
        return json.dumps(dataclasses.asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Task:
        return cls(**json.loads(text))
