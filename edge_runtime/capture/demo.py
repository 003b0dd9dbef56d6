"""A virtual camera for machines without one: real photographs, and it knows where the faces are."""

from __future__ import annotations

from typing import Final

from edge_runtime.capture.glance import glance_of_bgr
from edge_runtime.capture.pace import Pace
from edge_runtime.capture.picture import BgrPicture
from edge_runtime.capture.scene import Scene
from edge_runtime.capture.source import Source, Wait
from edge_runtime.capture.uri import Size, SourceUri
from edge_runtime.types import Clock, Frame

_SIZE: Final[Size] = (640, 480)
_FPS: Final = 30.0
_FACES: Final = 3
_SEED: Final = 7


class DemoSource(Source):
    """Frames of a drawn scene, with the truth. Live, unless the number of frames is given."""

    def __init__(
        self,
        scene: Scene,
        *,
        uri: str,
        description: str,
        size: Size,
        fps: float,
        frames: int | None,
        clock: Clock,
        wait: Wait,
    ) -> None:
        super().__init__()
        self.uri = uri
        self.description = description
        self.live = frames is None
        self.width, self.height = size
        self.fps = fps
        self._rate = fps
        self._frames = frames
        self._scene = scene
        self._clock = clock
        self._pace = Pace(fps, clock=clock, wait=wait) if self.live else None

    def _next_frame(self, index: int) -> Frame:
        if self._frames is not None and index >= self._frames:
            raise StopIteration
        if self._pace and self._pace.hold():
            raise StopIteration
        seconds = index / self._rate
        bgr, truth = self._scene.draw(index, seconds)
        return Frame(
            index,
            self._clock(),
            glance_of_bgr(bgr),
            BgrPicture(bgr),
            truth=truth,
            recorded_s=None if self.live else seconds,
        )

    def _close(self) -> None:
        """Nothing is held."""


def open_demo(uri: SourceUri, *, clock: Clock, wait: Wait) -> DemoSource:
    """Set the scene. Raises LibraryMissing where its photographs are not installed."""
    faces = _FACES if uri.faces is None else uri.faces
    seed = _SEED if uri.seed is None else uri.seed
    size, fps = uri.size or _SIZE, uri.fps or _FPS
    return DemoSource(
        Scene(faces=faces, seed=seed, size=size),
        uri=uri.shown,
        description=f"demo with {faces} faces, {size[0]}x{size[1]} at {fps:g} fps",
        size=size,
        fps=fps,
        frames=uri.frames,
        clock=clock,
        wait=wait,
    )
