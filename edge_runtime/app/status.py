"""The newest of everything, for whoever shows it."""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Mapping
from typing import Final

from edge_runtime.types import Allowance, Camera, Health, ModelEvent, ModelFate, Snapshot

EVENTS_KEPT: Final = 50


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
        self._allowance = Allowance()
        self._skipped = 0
        self._warnings: tuple[str, ...] = ()
        self._events: deque[ModelEvent] = deque(maxlen=EVENTS_KEPT)
        self._fates: Counter[ModelFate] = Counter()
        self._telling = threading.Lock()

    def snapshot(self) -> Snapshot | None:
        return self._snapshot

    def health(self) -> Health | None:
        return self._health

    def camera(self) -> Camera:
        return self._camera

    def allowance(self) -> Allowance:
        """What the governor lets us do."""
        return self._allowance

    def skipped(self) -> int:
        """Frames that were left with the camera since the start, because no more were allowed."""
        return self._skipped

    def warnings(self) -> tuple[str, ...]:
        """Sentences that stay true for this run, such as an input cut short."""
        return self._warnings

    def model_events(self) -> tuple[ModelEvent, ...]:
        """What became of models lately, the newest last."""
        return tuple(self._events)

    def model_counts(self) -> Mapping[ModelFate, int]:
        """How often which became of a model since the start."""
        return self._fates.copy()

    def tell(self, event: ModelEvent) -> None:
        with self._telling:  # several threads tell, and counting is no single step
            self._events.append(event)
            self._fates[event.what] += 1

    def publish(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    def publish_health(self, health: Health) -> None:
        self._health = health

    def publish_camera(self, camera: Camera) -> None:
        self._camera = camera

    def publish_allowance(self, allowance: Allowance) -> None:
        self._allowance = allowance

    def skip(self) -> None:
        """Count a frame that was not taken; only the capture thread does."""
        self._skipped += 1

    def warn(self, sentence: str) -> None:
        self._warnings = (*self._warnings, sentence)
