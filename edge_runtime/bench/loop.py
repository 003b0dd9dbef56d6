"""What the frame loop costs beside the interpreters: frames in memory, one face, one core."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from edge_runtime.app.assembly import Assembly
from edge_runtime.bench.timing import Spread, spread_of
from edge_runtime.capture.source import open_source
from edge_runtime.mailbox import Mailbox
from edge_runtime.types import Frame, JsonObject

DISTINCT_FRAMES: Final = 60
"""Kept in memory and gone through again and again: 60 of 640x480 are 55 MB."""

SOURCE: Final = f"demo://?faces=1&seed=7&size=640x480&frames={DISTINCT_FRAMES}"


@dataclass(frozen=True, slots=True)
class LoopCost:
    """Of a frame, on the wall clock of one core."""

    frame_ms: Spread
    invoke_ms: Spread
    """Inside the interpreters."""
    overhead_ms: Spread
    """All the rest: glance, motion, decoding, tracking, crop, snapshot."""
    frames: int
    frames_with_face: int

    def as_json(self) -> JsonObject:
        return {
            "frame_ms": self.frame_ms.as_json(),
            "invoke_ms": self.invoke_ms.as_json(),
            "overhead_ms": self.overhead_ms.as_json(),
            "frames": self.frames,
            "frames_with_face": self.frames_with_face,
        }


def loop_cost(assembly: Assembly, *, frames: int) -> LoopCost:
    """Run ``frames`` frames of the demo's one face through the whole pipeline."""
    pictures = frames_in_memory(SOURCE)
    pipeline = assembly.pipeline(Mailbox())
    total_ms: list[float] = []
    invoke_ms: list[float] = []
    with_face = 0
    for index in range(frames + len(pictures)):
        frame = _retaken(pictures[index % len(pictures)], index)
        began = time.perf_counter()
        snapshot = pipeline.process(frame)
        elapsed = (time.perf_counter() - began) * 1000
        if index >= len(pictures):  # the first round warms caches and lets the tracker settle
            total_ms.append(elapsed)
            invoke_ms.append(pipeline.invoke_s * 1000)
            with_face += bool(snapshot.faces)
    overhead = [total - invoke for total, invoke in zip(total_ms, invoke_ms, strict=True)]
    return LoopCost(
        spread_of(total_ms), spread_of(invoke_ms), spread_of(overhead), frames, with_face
    )


def frames_in_memory(uri: str) -> Sequence[Frame]:
    """All frames of a source, which must keep their pixels when it closes."""
    with open_source(uri, wait=lambda seconds: None) as source:
        return list(source)


def _retaken(frame: Frame, index: int) -> Frame:
    """The same picture as if it came at 30 frames a second."""
    return Frame(index, index / 30, frame.luma, frame.picture)
