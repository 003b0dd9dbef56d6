"""From what the contenders answered to the figures that are quoted. Nothing here is measured.

Processor time decides ratios: the clock on the wall also counts the moments a neighbour has the
core, which hit what takes 30 ms and mostly miss what takes 0.4, so it would flatter us. A ratio is
taken within each turn, where both had the same frames and the same noise; its median and outer
twentieths are quoted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean, median
from typing import Any, Final, Literal, NamedTuple

import numpy as np

from benchmarks.peer_process import OURS
from edge_runtime.types import Box

Kind = Literal["face", "still", "empty"]
"""A face in every frame; nothing moves and nobody is there; people pass, seen from behind."""

FOUND_IOU: Final = 0.4
"""Boxes of different makers end at other places of a head."""

Answer = Mapping[str, Any]
"""What peer_process.turn returned."""


class Turn(NamedTuple):
    """The same frames, shown to everybody."""

    kind: Kind
    truth: tuple[Box | None, ...]
    """By frame the face; None where it is not known or there is none."""
    answers: Mapping[str, Answer]


class Goal(NamedTuple):
    """What must be shown, what was measured, and whether that is enough."""

    wanted: str
    got: str
    met: bool

    def __str__(self) -> str:
        return f"{self.wanted}: {self.got} ({'met' if self.met else 'missed'})"


def row(name: str, turns: Sequence[Turn]) -> dict[str, Any]:
    """A contender's figures; None where it had no such frames."""
    turns = [turn for turn in turns if name in turn.answers]
    busy, still = _values(name, turns, "face"), _values(name, turns, "still")
    return {
        "wall_ms": _p50_p95(busy["wall_ms"]),
        "alone_wall_ms": _p50_p95(busy["alone_wall_ms"]),
        "cpu_ms": _mean(busy["cpu_ms"]),
        "still_cpu_ms": _mean(still["cpu_ms"]),
        "times_ours": times(turns, name, "cpu_ms", OURS, "cpu_ms"),
        "memory_mib": round(max(turn.answers[name]["memory_mib"] for turn in turns), 1),
        "recall": recall(name, turns),
        "false_faces": false_faces(name, turns),
    }


def times(
    turns: Iterable[Turn], name: str, key: str, other: str, other_key: str
) -> dict[str, float] | None:
    """How many times as much one costs as another: median, 5th and 95th percentile of the turns."""
    ratios = [
        median(turn.answers[name][key]) / median(turn.answers[other][other_key])
        for turn in turns
        if turn.kind == "face" and name in turn.answers
    ]
    if not ratios:
        return None
    low, middle, high = np.percentile(ratios, (5, 50, 95)).tolist()
    return {"median": round(middle, 2), "p5": round(low, 2), "p95": round(high, 2)}


def least(turns: Iterable[Turn], name: str, key: str) -> float:
    """The quickest turn's median: neighbours only ever add."""
    medians: list[float] = [
        median(turn.answers[name][key])
        for turn in turns
        if turn.kind == "face" and name in turn.answers
    ]
    return min(medians)


def recall(name: str, turns: Iterable[Turn]) -> dict[str, Any] | None:
    """Shares of the frames with a face in which any was found, and in which it was the face."""
    found = [
        (boxes, truth)
        for turn in turns
        if turn.kind == "face"
        for boxes, truth in zip(turn.answers[name]["boxes"], turn.truth, strict=True)
    ]
    known = [(boxes, truth) for boxes, truth in found if truth is not None]
    if not known:
        return None
    return {
        "frames": len(found),
        "any": round(sum(bool(boxes) for boxes, _ in found) / len(found), 4),
        "known": len(known),
        "overlap": round(sum(hit(boxes, truth) for boxes, truth in known) / len(known), 4),
    }


def hit(boxes: Iterable[Sequence[float]], truth: Box) -> bool:
    """Whether one of the boxes is that face."""
    return any(Box(*box).iou(truth) >= FOUND_IOU for box in boxes)


def false_faces(name: str, turns: Iterable[Turn]) -> dict[str, int] | None:
    """Faces found where none is, and the frames they were found in."""
    found = [b for t in turns if t.kind == "empty" for b in t.answers[name]["boxes"]]
    if not found:
        return None
    counts = {"faces": sum(map(len, found)), "frames_with": sum(map(bool, found))}
    return {"frames": len(found)} | counts


def goals(turns: Sequence[Turn], names: Iterable[str]) -> list[Goal]:
    """The figures that issue 5 wants shown, as far as who they need took part."""
    rivals = {
        "mediapipe": ("MediaPipe's detector alone", 6),
        "yunet-320": ("YuNet 320x256 alone", 10),
    }
    met = [_rival_goal(turns, key, *rivals[key]) for key in rivals if key in set(names)]
    return [*met, *_own_goals(turns)]


def _rival_goal(turns: Sequence[Turn], key: str, title: str, wanted: int) -> Goal:
    ratio = times(turns, key, "alone_cpu_ms", OURS, "cpu_ms")
    camera = times(turns, key, "alone_cpu_ms", OURS, "alone_cpu_ms")
    wall = times(turns, key, "alone_wall_ms", OURS, "wall_ms")
    if ratio is None or camera is None or wall is None:
        return Goal(f"our whole frame at most 1/{wanted} of {title}", "not measured", False)
    quickest = least(turns, key, "alone_cpu_ms") / least(turns, OURS, "cpu_ms")
    got = (
        f"1/{ratio['median']:.1f} of its processor time (turns: 1/{ratio['p5']:.1f} to "
        f"1/{ratio['p95']:.1f}; quickest turns: 1/{quickest:.1f}); on the wall "
        f"1/{wall['median']:.1f}; where the camera delivers the small plane "
        f"1/{camera['median']:.1f}"
    )
    met = ratio["median"] >= wanted
    return Goal(f"our whole frame at most 1/{wanted} of {title}", got, met)


def _own_goals(turns: Sequence[Turn]) -> list[Goal]:
    busy, still = _values(OURS, turns, "face"), _values(OURS, turns, "still")
    found = []
    if busy["invoke_ms"]:
        inside = median(busy["invoke_ms"])
        pairs = zip(busy["alone_wall_ms"], busy["invoke_ms"], strict=True)
        over = median(whole - invoke for whole, invoke in pairs)
        room = max(0.25 * inside, 0.25)
        got = f"{over:.3f} ms on top of {inside:.3f} ms, {over / inside:.0%}"
        wanted = "loop overhead at most 25 % on top of the interpreters, or 0.25 ms"
        found.append(Goal(wanted, got, over <= room))
    if busy["cpu_ms"] and still["cpu_ms"]:
        share = fmean(still["cpu_ms"]) / fmean(busy["cpu_ms"])
        alone = fmean(still["alone_cpu_ms"]) / fmean(busy["alone_cpu_ms"])
        got = (
            f"{share:.0%}; where the camera delivers the small plane {alone:.0%} "
            f"({fmean(still['alone_cpu_ms']):.3f} of {fmean(busy['alone_cpu_ms']):.3f} ms)"
        )
        wanted = "nothing moving: at most 10 % of the busy frame's processor time"
        # The pipeline's own figure decides: the small plane is the camera's work on a Pi.
        found.append(Goal(wanted, got, alone <= 0.1))
    return found


def _values(name: str, turns: Iterable[Turn], kind: Kind) -> dict[str, list[float]]:
    """All frames' costs on one kind of picture."""
    keys = ("wall_ms", "cpu_ms", "alone_wall_ms", "alone_cpu_ms", "invoke_ms")
    answers = [turn.answers[name] for turn in turns if turn.kind == kind]
    return {key: [value for each in answers for value in each[key]] for key in keys}


def _p50_p95(values: Sequence[float]) -> dict[str, float] | None:
    if not values:
        return None
    p50, p95 = np.percentile(values, (50, 95)).tolist()
    return {"p50": round(p50, 3), "p95": round(p95, 3)}


def _mean(values: Sequence[float]) -> float | None:
    return round(fmean(values), 4) if values else None
