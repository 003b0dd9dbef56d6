"""Lets the governor hold the run back: its decision published, handed on and logged."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence

from edge_runtime.app.status import Status
from edge_runtime.config import Config
from edge_runtime.governor import Governor, Limits
from edge_runtime.pipeline import Pipeline
from edge_runtime.quiet_hours import QuietHours
from edge_runtime.types import Allowance, Clock, Health, Snapshot

log = logging.getLogger(__name__)


class Restraint:
    """Called by the telemetry thread after each reading; does nothing when switched off."""

    def __init__(
        self,
        config: Config,
        pipelines: Sequence[Pipeline],
        status: Status,
        *,
        clock: Clock = time.monotonic,
    ) -> None:
        self._clock = clock
        self._governor = Governor(_limits(config), clock=clock) if config.governor.enabled else None
        self._pipelines = pipelines
        self._status = status

    def apply(self, health: Health) -> None:
        """What is allowed from now on; said only when it changes."""
        governor, before = self._governor, self._status.allowance()
        # Switched off while running, what it held back is given free.
        allowance = governor.decide(health, self._slowest()) if governor else Allowance()
        if allowance == before:
            return
        self._status.publish_allowance(allowance)
        for pipeline in self._pipelines:
            pipeline.allow(allowance)
        if allowance.level > before.level:
            log.warning("giving up more (level %d): %s", allowance.level, *allowance.reasons)
        elif allowance.level:
            log.info("giving up less (level %d): %s", allowance.level, *allowance.reasons)
        else:
            log.info("nothing is given up any more")

    def follow(self, config: Config) -> None:
        """Keep to other limits from the next reading on; any thread may say so."""
        if not config.governor.enabled:
            self._governor = None
        elif self._governor is None:
            self._governor = Governor(_limits(config), clock=self._clock)
        else:
            self._governor.follow(_limits(config))

    def _slowest(self) -> Snapshot | None:
        """Of the camera whose frames take longest: what it keeps to, the others do."""
        known = [camera.snapshot() for camera in self._status.cameras()]
        seen = [each for each in known if each is not None]
        return max(seen, key=_frame_ms, default=None)


def _frame_ms(snapshot: Snapshot) -> float:
    frame = snapshot.latency.get("frame")
    return frame.p95 if frame else 0.0


def _limits(config: Config) -> Limits:
    hours = config.governor.quiet_hours
    return Limits(
        max_temperature_c=config.governor.max_temperature_c,
        max_power_w=config.governor.max_power_w,
        target_fps=config.governor.target_fps,
        max_latency_ms=config.governor.max_latency_ms,
        quiet_hours=None if hours is None else QuietHours.parsed(hours),
    )
