"""The main job: capture in one thread, inference in the caller's, health and page beside them."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Final, Self

from edge_runtime.app.assembly import Assembly
from edge_runtime.app.intake import open_shelf
from edge_runtime.app.page import Page
from edge_runtime.app.status import Status
from edge_runtime.app.summary import Summary, Tally
from edge_runtime.app.supply import Supply
from edge_runtime.capture.reopen import ReopeningSource, pinned
from edge_runtime.capture.source import Source, open_source
from edge_runtime.config import Config
from edge_runtime.errors import ModelError, SourceDamaged
from edge_runtime.mailbox import Mailbox
from edge_runtime.masking import masked_uri
from edge_runtime.pipeline import Pipeline
from edge_runtime.service.collector import Collector
from edge_runtime.service.worker import Worker
from edge_runtime.store.shelf.shelf import Shelf
from edge_runtime.telemetry.health import HealthReader
from edge_runtime.telemetry.process import process_age_s
from edge_runtime.types import Clock, Frame, Snapshot

log = logging.getLogger(__name__)

TAKE_S: Final = 0.25
"""Longest wait for a frame before the loop looks around: asked to stop, camera gone."""

PAGE_WAITS_S: Final = 2.0
"""The page's libraries load after the first result, but a dark camera delays it no longer."""

NO_CAMERA: Final = "No camera was found, so this is a demo; `edge-runtime doctor` says more"


class Runtime:
    """One run of the main job. Entering binds the port and wakes the camera; ``run`` works.

    Raises what the rooms raise when they cannot be opened: WebUnavailable on entering,
    SourceUnavailable, ModelError, LibraryMissing from ``run``.
    """

    def __init__(self, config: Config, *, clock: Clock = time.monotonic) -> None:
        self._config = config
        self._clock = clock
        self._mailbox = Mailbox(clock)
        self._tally = Tally()
        self._collector = Collector(clock)
        self._closing = ExitStack()
        self.status = Status(masked_uri(config.source.uri))
        self.page: Page | None = None
        """The web page; None when it is switched off."""

    def __enter__(self) -> Self:
        with ExitStack() as opened:
            if self._config.web.enabled:
                self.page = opened.enter_context(Page(self._config, self.status))
            capture = Worker("capture", self._capture, on_error=self._mailbox.end)
            opened.enter_context(capture)
            # Closed before the worker is stopped: a sender that waits for the slot must wake up.
            opened.callback(self._mailbox.close)
            self._closing = opened.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.close()

    def run(self, stop: threading.Event, *, max_frames: int | None = None) -> Summary:
        """Work until ``stop`` is set, the source ends or ``max_frames`` are done.

        A file that turns out damaged ends the run; the summary holds the problem.
        """
        health = HealthReader(clock=self._clock)
        shelf = open_shelf(self._config)
        with (
            self._collector,
            Assembly(self._config, shelf=shelf, clock=self._clock) as assembly,
        ):
            log.info("models: %s", ", ".join(map(str, assembly.models)))
            pipeline = assembly.pipeline(self._mailbox)
            with (
                Worker("telemetry", lambda worker: self._watch(worker, health)),
                self._supply(shelf, assembly, pipeline) as supply,
            ):
                began = self._clock()
                problem = self._loop(pipeline, supply, stop, max_frames)
                seconds = self._clock() - began
                self._rest(pipeline)  # brings rates and percentiles up to the last frame
            return Summary(
                tally=self._tally,
                last=self.status.snapshot(),
                seconds=seconds,
                peak_memory_mb=health.read().peak_memory_mb,
                models=assembly.models,
                source=self.status.camera().uri,
                problem=problem,
            )

    def _capture(self, worker: Worker) -> None:
        config = self._config
        source = ReopeningSource(
            pinned(config.source.uri, self._opener(worker)),
            wait=worker.wait,
            clock=self._clock,
            first_delay_s=config.capture.first_retry_s,
            longest_delay_s=config.capture.longest_retry_s,
            on_change=self.status.publish_camera,
        )
        if config.source.uri == "auto" and source.uri.startswith("demo:"):
            self.status.warn(NO_CAMERA)
        with source:
            for frame in source:
                if not self._mailbox.put(frame, patient=not source.live):
                    break
        self._mailbox.end()

    def _opener(self, worker: Worker) -> Callable[[str], Source]:
        return lambda uri: open_source(
            uri,
            clock=self._clock,
            wait=worker.wait,
            stall_timeout_s=self._config.capture.stall_timeout_s,
        )

    def _supply(self, shelf: Shelf, assembly: Assembly, pipeline: Pipeline) -> Supply:
        return Supply(self._config, shelf, assembly, pipeline, self.status, clock=self._clock)

    def _loop(
        self,
        pipeline: Pipeline,
        supply: Supply,
        stop: threading.Event,
        max_frames: int | None,
    ) -> SourceDamaged | None:
        began = self._clock()
        try:
            while not stop.is_set():
                frame = self._mailbox.take(TAKE_S)
                supply.between_frames()
                if frame is not None:
                    self._process(pipeline, supply, frame)
                elif self._mailbox.ended:
                    break
                else:
                    self._rest(pipeline)
                if frame is not None or self._clock() - began > PAGE_WAITS_S:
                    self._open_page(supply)
                    supply.start()
                self._collector.between_frames()
                if max_frames is not None and self._tally.frames >= max_frames:
                    break
        except SourceDamaged as damage:
            return damage
        return None

    def _process(self, pipeline: Pipeline, supply: Supply, frame: Frame) -> None:
        try:
            snapshot = self._processed(pipeline, supply, frame)
            if self.page is not None:
                self.page.offer(frame, snapshot)
        finally:
            frame.close()
        self.status.publish(snapshot)
        supply.look(snapshot)
        self._tally.count(snapshot, frame.truth)
        if self._tally.first_result_s is None:
            self._tally.first_result_s = process_age_s()

    def _processed(self, pipeline: Pipeline, supply: Supply, frame: Frame) -> Snapshot:
        """A new model that fails makes room for the one before, which does the same frame."""
        try:
            return pipeline.process(frame)
        except ModelError as error:
            if not supply.failed(error):
                raise
            return pipeline.process(frame)

    def _rest(self, pipeline: Pipeline) -> None:
        last = self.status.snapshot()
        if last is not None:
            self.status.publish(pipeline.rest(last))

    def _open_page(self, supply: Supply) -> None:
        if self.page is not None:
            self.page.open(supply.counter)

    def _watch(self, worker: Worker, health: HealthReader) -> None:
        inferences, read_at = 0, self._clock()
        while True:
            snapshot, now = self.status.snapshot(), self._clock()
            rates = _rates(snapshot, inferences, now - read_at)
            self.status.publish_health(health.read(*rates))
            inferences, read_at = snapshot.inferences if snapshot else 0, now
            if worker.wait(self._config.telemetry.interval_s):
                return


def _rates(
    snapshot: Snapshot | None, inferences: int, seconds: float
) -> tuple[float | None, float | None]:
    """Frames and inferences per second since ``inferences`` were counted ``seconds`` ago."""
    if snapshot is None or seconds <= 0:
        return None, None
    return snapshot.rates.processed_fps, (snapshot.inferences - inferences) / seconds
