"""The newest of everything, for whoever shows it."""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Mapping
from typing import Final

from edge_runtime.events.camera_watch import CameraWatch
from edge_runtime.events.log import EventLog
from edge_runtime.events.rules import Rules, RuleState
from edge_runtime.events.watcher import Watcher
from edge_runtime.telemetry.history import History
from edge_runtime.types import Allowance, Camera, Health, ModelEvent, ModelFate, Snapshot

EVENTS_KEPT: Final = 50


class CameraStatus:
    """What the loop and the source of one camera last said.

    Each is a frozen object that is replaced whole, so readers in other threads need no lock.
    """

    def __init__(self, name: str, uri: str, watch: CameraWatch | None = None) -> None:
        """``watch`` is told what is published, and makes events of it."""
        self.name = name
        self._watch = watch
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
        self._skipped = 0
        self._awaited_until = float("-inf")

    def snapshot(self) -> Snapshot | None:
        """The last frame's; None before the first."""
        return self._snapshot

    def camera(self) -> Camera:
        """The source as it stands."""
        return self._camera

    def skipped(self) -> int:
        """Frames left with the camera since the start, because no more were allowed."""
        return self._skipped

    def skip(self) -> None:
        """Count a frame that was not taken; only the camera's own thread does."""
        self._skipped += 1

    def awaited(self, now: float) -> bool:
        """Whether no frame can be there: the camera's thread pauses, and knows until when."""
        return now < self._awaited_until

    def pause(self, until: float) -> None:
        """Nothing comes before this time, by the run's clock; the camera's own thread says so."""
        self._awaited_until = until

    def publish(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        if self._watch is not None:
            self._watch.look(snapshot)

    def publish_camera(self, camera: Camera) -> None:
        self._camera = camera
        if self._watch is not None:
            self._watch.stands(camera)


class Status:
    """The newest of every camera, and what all of them share."""

    def __init__(
        self,
        *cameras: CameraStatus,
        watcher: Watcher | None = None,
        history: History | None = None,
    ) -> None:
        """``watcher`` is told what is published, and makes events of it."""
        self._cameras = cameras
        self._watcher = watcher
        self._history = history or History()
        self._log = EventLog() if watcher is None else watcher.log
        self._rules: Rules | None = None
        self._health: Health | None = None
        self._allowance = Allowance()
        self._warnings: tuple[str, ...] = ()
        self._events: deque[ModelEvent] = deque(maxlen=EVENTS_KEPT)
        self._fates: Counter[ModelFate] = Counter()
        self._telling = threading.Lock()

    def cameras(self) -> tuple[CameraStatus, ...]:
        """In the order of the settings; at least one."""
        return self._cameras

    def health(self) -> Health | None:
        return self._health

    def allowance(self) -> Allowance:
        """What the governor lets us do."""
        return self._allowance

    def warnings(self) -> tuple[str, ...]:
        """Sentences that stay true for this run, such as an input cut short."""
        return self._warnings

    def model_events(self) -> tuple[ModelEvent, ...]:
        """What became of models lately, the newest last."""
        return tuple(self._events)

    def model_counts(self) -> Mapping[ModelFate, int]:
        """How often which became of a model since the start."""
        return self._fates.copy()

    def events(self) -> EventLog:
        """What happened lately."""
        return self._log

    def rules(self) -> tuple[RuleState, ...]:
        """Every rule of the settings, as it stands."""
        return () if self._rules is None else self._rules.states()

    def history(self) -> History:
        """The figures of the last hour and day."""
        return self._history

    def tell(self, event: ModelEvent) -> None:
        with self._telling:  # several threads tell, and counting is no single step
            self._events.append(event)
            self._fates[event.what] += 1
        if self._watcher is not None:
            self._watcher.model(event)

    def publish_health(self, health: Health) -> None:
        self._health = health
        self._history.add([camera.snapshot() for camera in self._cameras], health)
        if self._watcher is not None:
            self._watcher.machine.reads(health)

    def publish_rules(self, rules: Rules) -> None:
        self._rules = rules

    def publish_allowance(self, allowance: Allowance) -> None:
        self._allowance = allowance
        if self._watcher is not None:
            self._watcher.machine.allows(allowance)

    def warn(self, sentence: str) -> None:
        with self._telling:
            self._warnings = (*self._warnings, sentence)
