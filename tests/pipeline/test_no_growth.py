"""Frame after frame nothing is left behind."""

from __future__ import annotations

import gc
import os

import pytest

from edge_runtime.app.assembly import Assembly
from edge_runtime.bench.loop import SOURCE, frames_in_memory
from edge_runtime.capture.photographs import photograph
from edge_runtime.config import load_config
from edge_runtime.errors import LibraryMissing
from edge_runtime.mailbox import Mailbox
from edge_runtime.types import Frame

try:
    photograph("rocket.jpg")
except LibraryMissing as missing:
    pytest.skip(str(missing), allow_module_level=True)

FRAMES = 60
"""A round of them: the film of one face, seen again and again."""


def test_a_round_of_frames_leaves_as_many_objects_as_the_round_before() -> None:
    frames = frames_in_memory(SOURCE.replace("frames=60", f"frames={FRAMES}"))
    with Assembly(load_config(None, os.environ, {})) as assembly:
        pipeline = assembly.pipeline(Mailbox())

        def objects_after_round(number: int) -> int:
            for index, frame in enumerate(frames, start=number * FRAMES):
                pipeline.process(Frame(index, index / 30, frame.luma, frame.picture))
            gc.collect()
            return len(gc.get_objects())

        # The meters' windows hold 512 frames and fill in the first rounds.
        counts = [objects_after_round(number) for number in range(20)]
    # What a look hints at is remembered for half a second: a few objects come and go.
    assert max(counts[12:]) - counts[11] < FRAMES // 10
