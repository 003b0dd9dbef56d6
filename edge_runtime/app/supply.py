"""All that brings other models into a running pipeline, in one place to open and to close."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Final

from edge_runtime.app.activator import Activator
from edge_runtime.app.assembly import Assembly
from edge_runtime.app.between import Between
from edge_runtime.app.counter import Counter
from edge_runtime.app.intake import Intake
from edge_runtime.app.status import Status
from edge_runtime.closeable import Closeable
from edge_runtime.config import Config
from edge_runtime.errors import ModelError, ShelfUnwritable
from edge_runtime.pipeline import Pipeline
from edge_runtime.service.worker import Worker
from edge_runtime.store.arrival.contents import Limits
from edge_runtime.store.desk import Desk
from edge_runtime.store.shelf.shelf import Shelf
from edge_runtime.store.signature import TrustedKeys
from edge_runtime.types import Clock, ModelEvent, ModelFate, Snapshot

log = logging.getLogger(__name__)

MIB: Final = 1 << 20


def open_desk(config: Config, shelf: Shelf) -> Desk:
    """A desk as the settings want it. Raises ConfigError or LibraryMissing for trusted keys."""
    keys = config.models.trusted_keys
    return Desk(
        shelf,
        trusted=TrustedKeys(keys) if keys else None,
        limits=Limits(bytes=config.models.largest_mb * MIB),
    )


class Supply(Closeable):
    """The frames' thread calls ``between_frames`` and ``look``; ``start`` begins the others."""

    def __init__(
        self,
        config: Config,
        shelf: Shelf,
        assembly: Assembly,
        pipelines: Sequence[Pipeline],
        status: Status,
        *,
        clock: Clock = time.monotonic,
    ) -> None:
        self._status, self._watching = status, config.models.watch
        self._between = Between()
        self.activator = Activator(
            assembly, pipelines, self._between, shelf, config, tell=self._tell, clock=clock
        )
        self.desk = open_desk(config, shelf)
        self.intake = Intake(config, self.desk, self.activator, tell=self._tell, clock=clock)
        self.counter = Counter(
            config,
            assembly=assembly,
            activator=self.activator,
            desk=self.desk,
            intake=self.intake,
            status=status,
            tell=self._tell,
        )
        self._workers = ExitStack()
        self._started = False

    def start(self) -> None:
        """Once frames flow: the first result does not wait for this."""
        if self._started:
            return
        self._started = True
        try:
            self.desk.shelf.recover()
        except ShelfUnwritable as error:
            log.warning("models cannot be taken in: %s", error)
        self._workers.enter_context(Worker("models", self.intake.follow))
        if self._watching:
            self._workers.enter_context(Worker("intake", self.intake.watch))

    def do(self, call: Callable[[], None]) -> None:
        """Have something done between two frames, as ``Between.do``; for any other thread."""
        self._between.do(call)

    def between_frames(self) -> None:
        """Do what other threads handed in."""
        self._between.run_waiting()

    def look(self, snapshot: Snapshot) -> None:
        """After a frame: whether the newest model keeps to its time."""
        self.activator.look(snapshot)

    def failed(self, error: ModelError) -> bool:
        """Whether the model before plays again, because this one could not do a frame."""
        return self.activator.failed(error)

    def close(self) -> None:
        self._between.end()
        self._workers.close()
        self.activator.close()

    def _tell(self, what: ModelFate, model: str, sentence: str) -> None:
        log.info("model %s: %s", what, sentence)
        self._status.tell(ModelEvent(time.time(), what, model, sentence))
