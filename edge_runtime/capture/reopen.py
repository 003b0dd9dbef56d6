"""A live source that comes back by itself: lost, reopened with back-off, counted, told about."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from edge_runtime.capture.source import Source
from edge_runtime.errors import SourceError, SourceLost
from edge_runtime.types import Camera, CameraState, Clock, Frame

_log = logging.getLogger(__name__)

OnChange = Callable[[Camera], None]


def _nobody(_camera: Camera) -> None:
    return None


class ReopeningSource(Source):
    """Frames of a source that is opened again whenever a live one is lost.

    The delay between tries doubles from ``first_delay_s`` to ``longest_delay_s``. No random
    jitter: one camera has one reader. It starts small again once a frame has come, not once the
    device could be opened, for a broken cable lets a camera be opened all day.
    """

    def __init__(
        self,
        open: Callable[[], Source],  # noqa: A002 - reads as what it is: how to open
        *,
        wait: Callable[[float], bool | None],
        clock: Clock,
        first_delay_s: float = 0.5,
        longest_delay_s: float = 10.0,
        on_change: OnChange = _nobody,
    ) -> None:
        """Open for the first time, which raises what ``open`` raises."""
        super().__init__()
        self._open_again = open
        self._wait = wait
        self._clock = clock
        self._first_delay_s: Final = first_delay_s
        self._longest_delay_s: Final = longest_delay_s
        self._on_change = on_change
        self._reopened = 0
        self._lost_at: float | None = None
        self._adopt(open())
        self.camera = self._camera("opening", None)
        on_change(self.camera)

    def _adopt(self, source: Source) -> None:
        self._source = source
        self.uri, self.description, self.live = source.uri, source.description, source.live
        self.width, self.height, self.fps = source.width, source.height, source.fps

    def _next_frame(self, index: int) -> Frame:
        delay_s = self._first_delay_s
        while True:
            try:
                frame = next(self._source)
            except SourceLost as error:
                self._lose(error)
            except (StopIteration, SourceError):
                self._change("ended", None)
                raise
            else:
                self._arrived()
                return frame if frame.index == index else replace(frame, index=index)
            delay_s = self._bring_back(delay_s)

    def _lose(self, error: SourceError) -> None:
        self._source.close()
        if not self.live:
            self._change("ended", None)
            raise error
        if self._lost_at is None:
            self._lost_at = self._clock()
            _log.warning("lost %s: %s; opening it again until it comes back", self.uri, error)
        self._change("lost", str(error))

    def _bring_back(self, delay_s: float) -> float:
        """Try until the source opens; returns the delay to start with if it is lost at once."""
        while True:
            stopping = self._wait(delay_s)
            delay_s = min(2 * delay_s, self._longest_delay_s)
            if stopping or self._closed or self._opened():
                break
        if stopping or self._closed:
            # Another thread may have closed us while the device was being opened.
            self._source.close()
            self._change("ended", None)
            raise StopIteration
        return delay_s

    def _opened(self) -> bool:
        try:
            self._adopt(self._open_again())
        except SourceError as error:
            self._change("lost", str(error))
            return False
        return True

    def _arrived(self) -> None:
        if self._lost_at is not None:
            self._reopened += 1
            away_s = self._clock() - self._lost_at
            self._lost_at = None
            _log.info("%s is back after %.1f s (loss %d)", self.uri, away_s, self._reopened)
        self._change("streaming", None)

    def _camera(self, state: CameraState, problem: str | None) -> Camera:
        return Camera(
            uri=self.uri,
            description=self.description,
            state=state,
            width=self.width,
            height=self.height,
            live=self.live,
            reopened=self._reopened,
            problem=problem,
        )

    def _change(self, state: CameraState, problem: str | None) -> None:
        if (self.camera.state, self.camera.problem) == (state, problem):
            return
        self.camera = self._camera(state, problem)
        self._on_change(self.camera)

    def _close(self) -> None:
        self._source.close()
        self._change("ended", None)


def pinned(uri: str, open_uri: Callable[[str], Source]) -> Callable[[], Source]:
    """Opens ``uri``; where that is ``auto``, later calls open what the first one came to.

    Otherwise a webcam that is unplugged for a moment would be replaced by the demo.
    """
    chosen = uri

    def open_again() -> Source:
        nonlocal chosen
        source = open_uri(chosen)
        if chosen.strip() == "auto":
            chosen = source.uri
        return source

    return open_again
