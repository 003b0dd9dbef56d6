"""The main job: capture in threads, inference in the caller's, health and page beside them."""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from pathlib import Path
from typing import Final, Self

from edge_runtime.app.assembly import Assembly
from edge_runtime.app.channel import Channel
from edge_runtime.app.feed import Feed
from edge_runtime.app.intake import open_shelf
from edge_runtime.app.page import Page
from edge_runtime.app.reactions import Reactions, pace_of
from edge_runtime.app.reload import Reloader
from edge_runtime.app.restraint import Restraint
from edge_runtime.app.standing import Standing
from edge_runtime.app.status import CameraStatus, Status
from edge_runtime.app.summary import Summary
from edge_runtime.app.supply import Supply
from edge_runtime.config import Config
from edge_runtime.errors import EdgeRuntimeError, SourceDamaged
from edge_runtime.events.log import EventLog
from edge_runtime.events.watcher import Watcher
from edge_runtime.mailbox import Mailboxes
from edge_runtime.masking import masked_uri
from edge_runtime.pipeline import Pipeline
from edge_runtime.service.collector import Collector
from edge_runtime.service.heartbeat import Heartbeat
from edge_runtime.service.worker import Worker
from edge_runtime.telemetry.health import HealthReader
from edge_runtime.telemetry.history import History
from edge_runtime.telemetry.process import process_age_s
from edge_runtime.types import Clock, Snapshot

log = logging.getLogger(__name__)

TAKE_S: Final = 0.25
"""Longest wait for a frame before the loop looks around: asked to stop, camera gone."""

PAGE_WAITS_S: Final = 2.0
"""The page's libraries load after the first result, but a dark camera delays it no longer."""


class Runtime:
    """One run of the main job. Entering binds the port and wakes the cameras; ``run`` works.

    Raises what the rooms raise when they cannot be opened: WebUnavailable on entering,
    SourceUnavailable, ModelError, LibraryMissing from ``run``.
    """

    def __init__(
        self,
        config: Config,
        *,
        heartbeat: Heartbeat | None = None,
        listening: socket.socket | None = None,
        reloader: Reloader | None = None,
        credentials: Path | None = None,
        clock: Clock = time.monotonic,
    ) -> None:
        """``heartbeat``: tells the supervisor that frames flow; the caller closes it.
        ``listening``: the page's socket, opened by somebody else; it is closed here.
        ``reloader``: reads the settings again when it is asked to. ``credentials``: the folder in
        which the supervisor hands secrets over.
        """
        self._credentials = credentials
        self._config = config
        self._listening = listening
        self._reloader = reloader
        self._clock = clock
        self._heartbeat = heartbeat or Heartbeat(clock=clock)
        cameras = config.cameras
        self._mailboxes = Mailboxes(len(cameras), clock)
        self._collector = Collector(clock)
        self._first_result_s: float | None = None
        self._frames = 0
        self._closing = ExitStack()
        self._reactions: Reactions
        self._watcher = self._made_watcher()
        self.status = self._made_status()
        self.page: Page | None = None
        """The web page; None when it is switched off."""

    def __enter__(self) -> Self:
        with ExitStack() as opened:
            reactions = opened.enter_context(
                Reactions(self._config, self._watcher, clock=self._clock)
            )
            self._reactions = reactions
            self.status.publish_rules(reactions.rules)
            reactions.start()
            if self._config.web.enabled:
                self.page = opened.enter_context(
                    Page(self._config, self.status, listening=self._listening)
                )
            workers = [feed.worker() for feed in self._feeds()]
            for worker in workers:
                opened.enter_context(worker)
            # All are asked before one is awaited: eight stuck cameras end as soon as one.
            for worker in workers:
                opened.callback(worker.ask_to_stop)
            # Closed before the workers are stopped: a sender that waits for the slot must wake up.
            opened.callback(self._mailboxes.close)
            self._closing = opened.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.close()

    def run(self, stop: threading.Event, *, max_frames: int | None = None) -> Summary:
        """Work until ``stop`` is set, all sources end or ``max_frames`` of all cameras are done.

        A file that turns out damaged ends the run, or one camera's part of it; the summary holds
        the problem.
        """
        health = HealthReader(clock=self._clock)
        shelf = open_shelf(self._config)
        with (
            self._collector,
            Assembly(self._config, shelf=shelf, clock=self._clock) as assembly,
        ):
            log.info("models: %s", ", ".join(map(str, assembly.models)))
            channels = self._channels(assembly)
            pipelines = [channel.pipeline for channel in channels]
            restraint = Restraint(self._config, pipelines, self.status, clock=self._clock)
            with (
                Worker("telemetry", lambda worker: self._watch(worker, health, restraint)),
                Supply(
                    self._config, shelf, assembly, pipelines, self.status, clock=self._clock
                ) as supply,
                self._recognizing(assembly, pipelines, supply),
                self._reloading(supply, restraint),
            ):
                began = self._clock()
                problem = self._loop(channels, supply, stop, max_frames)
                self._heartbeat.stopping()
                seconds = self._clock() - began
                for channel in channels:
                    channel.rest()  # brings rates and percentiles up to the last frame
            return Summary(
                cameras=tuple(channel.summary(seconds) for channel in channels),
                seconds=seconds,
                first_result_s=self._first_result_s,
                peak_memory_mb=health.read().peak_memory_mb,
                models=assembly.models,
                problem=problem,
            )

    def _made_watcher(self) -> Watcher:
        events = EventLog(self._config.events.keep, clock=self._clock)
        names = [each.name for each in self._config.cameras]
        return Watcher(names, events, pace_of(self._config), clock=self._clock)

    def _made_status(self) -> Status:
        cameras = [
            CameraStatus(each.name, masked_uri(each.uri), self._watcher.cameras[each.name])
            for each in self._config.cameras
        ]
        names = [each.name for each in self._config.cameras]
        history = History(self._config.telemetry.interval_s, cameras=names, clock=self._clock)
        return Status(*cameras, watcher=self._watcher, history=history)

    def _feeds(self) -> list[Feed]:
        parts = zip(self._config.cameras, self._mailboxes.boxes, self.status.cameras(), strict=True)
        return [
            Feed(
                table.uri,
                self._config,
                mailbox=box,
                camera=camera,
                status=self.status,
                clock=self._clock,
            )
            for table, box, camera in parts
        ]

    def _channels(self, assembly: Assembly) -> list[Channel]:
        """Each camera with a pipeline of its own; the engines are shared."""
        return [
            Channel(assembly.pipeline(box), box, camera, self.page, self._clock)
            for box, camera in zip(self._mailboxes.boxes, self.status.cameras(), strict=True)
        ]

    def _loop(
        self,
        channels: Sequence[Channel],
        supply: Supply,
        stop: threading.Event,
        max_frames: int | None,
    ) -> EdgeRuntimeError | None:
        """Frames of all cameras in turn; why it ended by itself, if that was too early."""
        began = self._clock()
        try:
            while not stop.is_set():
                delivery = self._mailboxes.take(TAKE_S)
                supply.between_frames()
                if delivery is not None:
                    snapshot = channels[delivery.number].process(delivery.frame, supply)
                    supply.look(snapshot)
                    self._count()
                    self._heartbeat.frame_done()
                elif self._mailboxes.ended:
                    return self._problem()
                elif any(each.awaited(self._clock()) for each in self.status.cameras()):
                    self._heartbeat.camera_awaited()
                for channel in channels:
                    channel.rest_when_due()
                if delivery is not None or self._clock() - began > PAGE_WAITS_S:
                    self._open_page(supply)
                    supply.start()
                self._collector.between_frames()
                if max_frames is not None and self._frames >= max_frames:
                    break
        except SourceDamaged as damage:
            return damage
        return None

    def _count(self) -> None:
        self._frames += 1
        if self._first_result_s is None:
            self._first_result_s = process_age_s()

    def _problem(self) -> EdgeRuntimeError | None:
        """Why the first of the cameras that failed did, when all have ended."""
        errors = (box.error for box in self._mailboxes.boxes)
        return next((error for error in errors if isinstance(error, EdgeRuntimeError)), None)

    @contextmanager
    def _recognizing(
        self, assembly: Assembly, pipelines: Sequence[Pipeline], supply: Supply
    ) -> Iterator[None]:
        """Where it is switched on, faces get names; its models load only then."""
        if not self._config.people.enabled:
            yield
            return
        from edge_runtime.app.recognition import Recognition  # noqa: PLC0415 - mostly off

        with (
            Recognition(
                self._config,
                assembly.lineup,
                pipelines,
                supply.do,
                credentials=self._credentials,
            ) as recognition,
            Worker("people", recognition.follow),
        ):
            yield

    def _reloading(self, supply: Supply, restraint: Restraint) -> AbstractContextManager[object]:
        """The thread that lets other settings take effect; what may be wrong comes first."""
        if self._reloader is None:
            return nullcontext()

        def settle(config: Config) -> None:
            with self._reactions.prepared(config) as react:
                supply.activator.settle(config)
                react()

        return self._reloader.worker([settle, restraint.follow, self._follow])

    def _follow(self, config: Config) -> None:
        self._config = config
        self.status.history().follow(config.telemetry.interval_s)
        logging.getLogger().setLevel(config.log.level.upper())

    def _open_page(self, supply: Supply) -> None:
        if self.page is not None:
            self.page.open(supply.counter)

    def _watch(self, worker: Worker, health: HealthReader, restraint: Restraint) -> None:
        inferences, read_at = 0, self._clock()
        standing = Standing(self.status, self._heartbeat, self._clock)
        while True:
            snapshots = [camera.snapshot() for camera in self.status.cameras()]
            known, now = [each for each in snapshots if each is not None], self._clock()
            rates = _rates(known, inferences, now - read_at)
            reading = health.read(*rates)
            self.status.publish_health(reading)
            restraint.apply(reading)
            standing.tell()
            inferences, read_at = sum(each.inferences for each in known), now
            if worker.wait(self._config.telemetry.interval_s):
                return


def _rates(
    snapshots: Sequence[Snapshot], inferences: int, seconds: float
) -> tuple[float | None, float | None]:
    """Frames and inferences of all cameras per second since ``inferences`` were counted."""
    if not snapshots or seconds <= 0:
        return None, None
    fps = [each.rates.processed_fps for each in snapshots]
    known = [rate for rate in fps if rate is not None]
    made = sum(each.inferences for each in snapshots) - inferences
    return sum(known) if known else None, made / seconds
