"""One camera inside the loop: its pipeline, what it publishes and what is counted of it."""

from __future__ import annotations

from typing import Final

from edge_runtime.app.page import Page
from edge_runtime.app.status import CameraStatus
from edge_runtime.app.summary import CameraSummary, Tally
from edge_runtime.app.supply import Supply
from edge_runtime.errors import ModelError
from edge_runtime.mailbox import Mailbox
from edge_runtime.pipeline import Pipeline
from edge_runtime.types import Clock, Frame, Snapshot

REST_S: Final = 0.25
"""A camera without a frame for so long shows no faces, and rates of now, until the next one."""


class Channel:
    """Everything of one camera that belongs to the frames' thread."""

    def __init__(
        self,
        pipeline: Pipeline,
        mailbox: Mailbox,
        camera: CameraStatus,
        page: Page | None,
        clock: Clock,
    ) -> None:
        self.pipeline = pipeline
        self._mailbox, self._camera, self._page = mailbox, camera, page
        self._clock = clock
        self._tally = Tally()
        self._active_at = clock()

    def process(self, frame: Frame, supply: Supply) -> Snapshot:
        """Look at one frame, close it, and let everybody know."""
        try:
            snapshot = self._processed(frame, supply)
            if self._page is not None:
                self._page.offer(self._camera.name, frame, snapshot)
        finally:
            frame.close()
        self._camera.publish(snapshot)
        self._tally.count(snapshot, frame.truth)
        self._active_at = self._clock()
        return snapshot

    def rest_when_due(self) -> None:
        """Bring the last snapshot up to date if no frame came for a while."""
        if self._clock() - self._active_at >= REST_S:
            self.rest()

    def rest(self) -> None:
        """Bring the last snapshot up to date: no faces, rates of now."""
        self._active_at = self._clock()
        last = self._camera.snapshot()
        if last is not None:
            self._camera.publish(self.pipeline.rest(last))

    def summary(self, seconds: float) -> CameraSummary:
        """What came of it; ``seconds``: how long it ran."""
        return CameraSummary(
            name=self._camera.name,
            source=self._camera.camera().uri,
            tally=self._tally,
            last=self._camera.snapshot(),
            seconds=seconds,
            problem=self._mailbox.error,
        )

    def _processed(self, frame: Frame, supply: Supply) -> Snapshot:
        """A new model that fails makes room for the one before, which does the same frame."""
        try:
            return self.pipeline.process(frame)
        except ModelError as error:
            if not supply.failed(error):
                raise
            return self.pipeline.process(frame)
