"""What a finished run comes to: the line ``run --json`` prints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from edge_runtime.errors import EdgeRuntimeError
from edge_runtime.types import Box, Face, JsonObject, ModelInUse, Percentiles, Snapshot

SAME_FACE: Final = 0.4
"""Overlap from which a found box is the true face: boxes differ in how much hair they take."""


@dataclass(slots=True)
class SelfCheck:
    """What was found against what was there, for sources that know the truth (the demo)."""

    faces: int = 0
    found: int = 0
    false: int = 0

    def compare(self, found: Sequence[Face], truth: Sequence[Box]) -> None:
        """Count one frame."""
        hits = sum(any(true.iou(face.box) >= SAME_FACE for face in found) for true in truth)
        self.faces += len(truth)
        self.found += hits
        self.false += max(0, len(found) - hits)

    def __add__(self, other: SelfCheck) -> SelfCheck:
        return SelfCheck(
            self.faces + other.faces, self.found + other.found, self.false + other.false
        )

    def as_json(self) -> JsonObject:
        return {"faces": self.faces, "found": self.found, "false": self.false}


@dataclass(slots=True)
class Tally:
    """Counts along the run; the summary is made of it."""

    frames: int = 0
    faces: int = 0
    tracks: int = 0
    """Different faces."""
    check: SelfCheck | None = None
    """None for sources that do not know where faces are."""

    def count(self, snapshot: Snapshot, truth: Sequence[Box] | None) -> None:
        """Add one frame's result, and how it compares with the truth where that is known."""
        self.frames += 1
        self.faces += len(snapshot.faces)
        self.tracks = max(self.tracks, *(face.track for face in snapshot.faces), 0)
        if truth is not None:
            self.check = self.check or SelfCheck()
            self.check.compare(snapshot.faces, truth)


@dataclass(frozen=True, slots=True)
class CameraSummary:
    """What came of one camera."""

    name: str
    source: str
    tally: Tally
    last: Snapshot | None
    """The last snapshot; None when no frame came."""
    seconds: float
    """From the first frame to the last."""
    problem: BaseException | None = None
    """Why it ended early; None for a whole one."""

    @property
    def fps(self) -> float | None:
        """Frames per second over the whole run; None below two frames."""
        return _fps(self.tally.frames, self.seconds)

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
            "self_check": self.tally.check.as_json() if self.tally.check else None,
            "problem": str(self.problem) if self.problem else None,
        }


@dataclass(frozen=True, slots=True)
class Summary:
    """One run of all cameras, from its first frame to its last."""

    cameras: tuple[CameraSummary, ...]
    seconds: float
    first_result_s: float | None
    """From the start of the process to the first frame's result."""
    peak_memory_mb: float | None
    models: tuple[ModelInUse, ...]
    problem: EdgeRuntimeError | None = None
    """Why the run ended early; None for a whole one."""

    @property
    def frames(self) -> int:
        """Of all cameras."""
        return sum(each.tally.frames for each in self.cameras)

    @property
    def tracks(self) -> int:
        """Different faces of each camera, added up: a face in two views counts twice."""
        return sum(each.tally.tracks for each in self.cameras)

    @property
    def fps(self) -> float | None:
        """Frames of all cameras per second over the whole run; None below two frames."""
        return _fps(self.frames, self.seconds)

    def as_json(self) -> JsonObject:
        """The documented object: see docs/cli.md. One camera's own, or sums and each of several."""
        each = [camera.as_json() for camera in self.cameras]
        figures = each[0] if len(each) == 1 else self._sums(each)
        ours: JsonObject = {
            "first_result_s": _rounded(self.first_result_s, 3),
            "peak_memory_mb": _rounded(self.peak_memory_mb, 1),
            "models": {model.name: model.version for model in self.models},
            "problem": str(self.problem) if self.problem else None,
        }
        if len(each) > 1:
            names = [camera.name for camera in self.cameras]
            ours["cameras"] = dict(zip(names, each, strict=True))
        return figures | ours

    def _sums(self, each: Sequence[JsonObject]) -> JsonObject:
        """Percentiles cannot be added up, so each camera keeps its own."""
        checks = [camera.tally.check for camera in self.cameras if camera.tally.check]
        counts = ("frames", "frames_with_face", "faces", "tracks", "dropped", "inferences")
        return {
            "source": ", ".join(figures["source"] for figures in each),
            **{count: sum(figures[count] for figures in each) for count in counts},
            "fps": _rounded(self.fps, 2),
            "latency_ms": {},
            "self_check": sum(checks, SelfCheck()).as_json() if checks else None,
        }


def _fps(frames: int, seconds: float) -> float | None:
    return None if frames < 2 or seconds <= 0 else (frames - 1) / seconds


def _three(percentiles: Percentiles) -> dict[str, float]:
    return {name: round(value, 3) for name, value in percentiles._asdict().items()}


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)
