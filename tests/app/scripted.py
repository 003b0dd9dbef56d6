"""Sources that do what a test wrote down."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from edge_runtime.capture.source import Source
from edge_runtime.types import Frame
from tests.white_faces import frame_with


class ScriptedSource(Source):
    """Plays a script: frames to deliver, errors to raise."""

    def __init__(self, script: Iterator[Frame | Exception], *, live: bool) -> None:
        super().__init__()
        self.uri = self.description = "scripted"
        self.live = live
        self.width, self.height, self.fps = 640, 480, 30.0
        self._script = script

    def _next_frame(self, index: int) -> Frame:
        step = next(self._script)
        if isinstance(step, Exception):
            raise step
        return step

    def _close(self) -> None:
        """Nothing to give back."""


Openings = Sequence[Iterable[Frame | Exception] | Exception]
"""What becomes of each time a source is opened."""


def frames(count: int) -> list[Frame | Exception]:
    return [frame_with(None, index=i, taken_at=i / 30) for i in range(count)]
