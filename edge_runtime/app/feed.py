"""One camera's way into its mailbox: opened, read in its own thread, opened again when lost."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Final

from edge_runtime.app.status import CameraStatus, Status
from edge_runtime.capture.reopen import ReopeningSource, pinned
from edge_runtime.capture.source import Source, open_source
from edge_runtime.config import Config
from edge_runtime.errors import EdgeRuntimeError
from edge_runtime.mailbox import Mailbox
from edge_runtime.service.worker import Worker
from edge_runtime.types import Clock

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
        config = self._config
        source = ReopeningSource(
            pinned(self._uri, lambda uri: self._opened(uri, worker)),
            wait=worker.wait,
            clock=self._clock,
            first_delay_s=config.capture.first_retry_s,
            longest_delay_s=config.capture.longest_retry_s,
            on_change=self._camera.publish_camera,
        )
        if self._uri == "auto" and source.uri.startswith("demo:"):
            self._status.warn(NO_CAMERA)
        with source:
            for frame in source:
                if not self._mailbox.put(frame, patient=not source.live):
                    break
        self._mailbox.end()

    def _opened(self, uri: str, worker: Worker) -> Source:
        return open_source(
            uri,
            clock=self._clock,
            wait=worker.wait,
            stall_timeout_s=self._config.capture.stall_timeout_s,
        )

    def _fail(self, error: BaseException) -> None:
        """What opening again does not mend is said of this camera; others may go on."""
        if isinstance(error, EdgeRuntimeError):
            log.error("camera %s has failed: %s", self._camera.name, error)
            now = self._camera.camera()
            self._camera.publish_camera(replace(now, state="ended", problem=str(error)))
        self._mailbox.end(error)
