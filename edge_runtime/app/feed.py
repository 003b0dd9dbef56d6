"""One camera's way into its mailbox: opened, read in its own thread, opened again when lost."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Final

from edge_runtime.app.status import CameraStatus, Status
from edge_runtime.capture.reopen import ReopeningSource, pinned
from edge_runtime.capture.source import Source, Wait, open_source
from edge_runtime.config import Config
from edge_runtime.errors import EdgeRuntimeError, SourceUnavailable
from edge_runtime.governor import FrameCap
from edge_runtime.mailbox import Mailbox
from edge_runtime.service.worker import Worker
from edge_runtime.types import CameraState, Clock

log = logging.getLogger(__name__)

NO_CAMERA: Final = "No camera was found, so this is a demo; `edge-runtime doctor` says more"


class Feed:
    """Frames of ``uri`` go into ``mailbox``, how the camera stands goes into ``camera``."""

    def __init__(
        self,
        uri: str,
        config: Config,
        *,
        mailbox: Mailbox,
        camera: CameraStatus,
        status: Status,
        clock: Clock,
    ) -> None:
        self._uri, self._config, self._clock = uri, config, clock
        self._mailbox, self._camera, self._status = mailbox, camera, status

    def worker(self) -> Worker:
        """The thread that reads; whoever calls starts and stops it."""
        alone = len(self._status.cameras()) == 1
        name = "capture" if alone else f"capture-{self._camera.name}"
        return Worker(name, self._capture, on_error=self._fail)

    def _capture(self, worker: Worker) -> None:
        source = self._source(worker)
        if source is not None:
            self._read(source)
        self._mailbox.end()

    def _source(self, worker: Worker) -> ReopeningSource | None:
        """The source, opened; None when asked to stop.

        Alone, what cannot be opened ends the run, unless ``capture.wait_at_start`` says that it
        may be there later. Beside cameras that deliver, one that is not there yet is tried until
        it is.
        """
        delay_s = self._config.capture.first_retry_s
        wait = self._paused(worker)
        while True:
            try:
                return self._reopening(worker)
            except SourceUnavailable as error:
                if not (self._config.capture.wait_at_start or any(map(_delivers, self._others))):
                    raise
                if self._camera.camera().state == "opening":
                    log.warning("camera %s is tried again: %s", self._camera.name, error)
                self._say("lost", error)
            if wait(delay_s):
                return None
            delay_s = min(2 * delay_s, self._config.capture.longest_retry_s)

    def _reopening(self, worker: Worker) -> ReopeningSource:
        config = self._config
        return ReopeningSource(
            pinned(self._uri, lambda uri: self._opened(uri, worker)),
            wait=self._paused(worker),
            clock=self._clock,
            first_delay_s=config.capture.first_retry_s,
            longest_delay_s=config.capture.longest_retry_s,
            on_change=self._camera.publish_camera,
        )

    def _read(self, source: ReopeningSource) -> None:
        if self._uri == "auto" and source.uri.startswith("demo:"):
            self._status.warn(NO_CAMERA)
        cap = FrameCap()
        with source:
            for frame in source:
                # Of a recording every frame counts, however warm it gets.
                fps = self._status.allowance().fps if source.live else None
                if not cap.lets(frame.taken_at, fps):
                    self._camera.skip()
                    frame.close()
                elif not self._mailbox.put(frame, patient=not source.live):
                    break

    def _opened(self, uri: str, worker: Worker) -> Source:
        return open_source(
            uri,
            clock=self._clock,
            wait=self._paused(worker),
            stall_timeout_s=self._config.capture.stall_timeout_s,
        )

    def _paused(self, worker: Worker) -> Wait:
        """The worker's sleep, said to whoever wonders why no frame comes."""

        def wait(seconds: float) -> bool:
            self._camera.pause(self._clock() + seconds)
            return worker.wait(seconds)

        return wait

    @property
    def _others(self) -> list[CameraStatus]:
        return [each for each in self._status.cameras() if each is not self._camera]

    def _fail(self, error: BaseException) -> None:
        """What trying again does not mend is said of this camera; others may go on."""
        if isinstance(error, EdgeRuntimeError):
            self._say("ended", error)
            if self._others:  # alone it ends the run, which says so itself
                log.error("camera %s has failed: %s", self._camera.name, error)
        self._mailbox.end(error)

    def _say(self, state: CameraState, error: EdgeRuntimeError) -> None:
        now = self._camera.camera()
        self._camera.publish_camera(replace(now, state=state, problem=str(error)))


def _delivers(camera: CameraStatus) -> bool:
    """Whether frames come of it, or may come: it is opening, or was lost and may come back."""
    state = camera.camera().state
    return state in ("opening", "streaming") or (state == "lost" and camera.snapshot() is not None)
