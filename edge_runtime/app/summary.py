"""What a finished run comes to: the line ``run --json`` prints."""

from __future__ import annotations

from dataclasses import dataclass

from edge_runtime.errors import EdgeRuntimeError
from edge_runtime.types import JsonObject, ModelInUse, Percentiles, Snapshot


@dataclass(slots=True)
class Tally:
    """Counts along the run; the summary is made of it."""

    frames: int = 0
    faces: int = 0
    tracks: int = 0
    """Different faces."""
    first_result_s: float | None = None
    """From the start of the process to the first frame's result."""

    def count(self, snapshot: Snapshot) -> None:
        self.frames += 1
        self.faces += len(snapshot.faces)
        self.tracks = max(self.tracks, *(face.track for face in snapshot.faces), 0)


@dataclass(frozen=True, slots=True)
class Summary:
    """One run, from its first frame to its last."""

    tally: Tally
    last: Snapshot | None
    """The last snapshot; None when no frame came."""
    seconds: float
    """From the first frame to the last."""
    peak_memory_mb: float | None
    models: tuple[ModelInUse, ...]
    source: str
    problem: EdgeRuntimeError | None = None
    """Why the run ended early; None for a whole one."""

    @property
    def fps(self) -> float | None:
        """Frames per second over the whole run; None below two frames."""
        if self.tally.frames < 2 or self.seconds <= 0:
            return None
        return (self.tally.frames - 1) / self.seconds

    def as_json(self) -> JsonObject:
        """The documented object: see docs/cli.md."""
        latency = self.last.latency if self.last else {}
        return {
            "source": self.source,
            "frames": self.tally.frames,
            "frames_with_face": self.last.frames_with_face if self.last else 0,
            "faces": self.tally.faces,
            "tracks": self.tally.tracks,
            "fps": _rounded(self.fps, 2),
            "dropped": self.last.rates.dropped if self.last else 0,
            "latency_ms": {stage: _three(percentiles) for stage, percentiles in latency.items()},
            "inferences": self.last.inferences if self.last else 0,
            "first_result_s": _rounded(self.tally.first_result_s, 3),
            "peak_memory_mb": _rounded(self.peak_memory_mb, 1),
            "models": {model.name: model.version for model in self.models},
            "problem": str(self.problem) if self.problem else None,
        }


def _three(percentiles: Percentiles) -> dict[str, float]:
    return {name: round(value, 3) for name, value in percentiles._asdict().items()}


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)
