"""The newest of everything, for whoever shows it."""

from __future__ import annotations

from edge_runtime.types import Camera, Health, Snapshot


class Status:
    """What the loop, the camera and the health reader last said.

    Each is a frozen object that is replaced whole, so readers in other threads need no lock.
    """

    def __init__(self, uri: str) -> None:
        self._camera = Camera(
            uri=uri,
            description=uri,
            state="opening",
            width=None,
            height=None,
            live=True,
            reopened=0,
        )
        self._snapshot: Snapshot | None = None
        self._health: Health | None = None
        self._warnings: tuple[str, ...] = ()

    def snapshot(self) -> Snapshot | None:
        return self._snapshot

    def health(self) -> Health | None:
        return self._health

    def camera(self) -> Camera:
        return self._camera

    def warnings(self) -> tuple[str, ...]:
        """Sentences that stay true for this run, such as an input cut short."""
        return self._warnings

    def publish(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    def publish_health(self, health: Health) -> None:
        self._health = health

    def publish_camera(self, camera: Camera) -> None:
        self._camera = camera

    def warn(self, sentence: str) -> None:
        self._warnings = (*self._warnings, sentence)
