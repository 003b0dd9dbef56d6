"""The live views of all cameras: each is made for itself, viewers are counted together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from edge_runtime.web.preview import Preview
from edge_runtime.web.viewer import Viewer


class Previews:
    """A Preview per camera, at least one; alike but for what they show."""

    def __init__(self, by_camera: Mapping[str, Preview]) -> None:
        self._by_camera = dict(by_camera)
        one = next(iter(self._by_camera.values()))
        self.max_viewers = one.max_viewers
        """Of all cameras together: what a viewer costs does not depend on where he looks."""
        self.pixelate = one.pixelate

    @property
    def names(self) -> tuple[str, ...]:
        """Of the cameras, in the order of the settings."""
        return tuple(self._by_camera)

    @property
    def viewers(self) -> int:
        return sum(preview.viewers for preview in self._by_camera.values())

    def of(self, name: str) -> Preview:
        """Raises KeyError for a camera that there is not."""
        return self._by_camera[name]

    @contextmanager
    def watch(self, name: str) -> Iterator[Viewer | None]:
        """Be a viewer for the length of the block; None when there are too many already.

        For the server's event loop only: nobody can enter between the count and the entry.
        """
        if self.viewers >= self.max_viewers:
            yield None
            return
        with self.of(name).watch() as viewer:
            yield viewer
