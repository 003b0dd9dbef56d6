"""The one line that says how a run stands, for ``systemctl status``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from edge_runtime.app.status import Status
from edge_runtime.service.heartbeat import Heartbeat
from edge_runtime.types import Clock

EVERY_S: Final = 5.0
"""systemd tells everybody on the bus of each new line."""


class Standing:
    """Tells the supervisor now and then; called by the telemetry thread."""

    def __init__(self, status: Status, heartbeat: Heartbeat, clock: Clock) -> None:
        self._status, self._heartbeat, self._clock = status, heartbeat, clock
        self._due = float("-inf")

    def tell(self) -> None:
        """Say how it stands, if that was not said just now."""
        now = self._clock()
        if self._heartbeat.supervised and now >= self._due:
            self._due = now + EVERY_S
            self._heartbeat.say(standing(self._status))


def standing(status: Status) -> str:
    """``29.9 fps, 3.8 ms to the result (p95), 52.3 °C``; cameras that do not deliver come first."""
    return ", ".join((*_away(status), *_figures(status))) or "no frame yet"


def _away(status: Status) -> Iterator[str]:
    alone = len(status.cameras()) == 1
    for each in status.cameras():
        camera = each.camera()
        if camera.state != "streaming":
            name = "camera" if alone else f"camera {each.name}"
            why = f": {camera.problem}" if camera.problem else ""
            yield f"{name} {camera.state}{why}"


def _figures(status: Status) -> Iterator[str]:
    known = [each.snapshot() for each in status.cameras()]
    seen = [each for each in known if each is not None]
    rates = [each.rates.processed_fps for each in seen if each.rates.processed_fps is not None]
    if rates:
        yield f"{sum(rates):.1f} fps"
    ages = [each.latency["age"].p95 for each in seen if "age" in each.latency]
    if ages:
        yield f"{max(ages):.1f} ms to the result (p95)"
    health = status.health()
    if health is not None and health.temperature_c is not None:
        yield f"{health.temperature_c:.1f} °C"
    if status.allowance().level:
        yield f"giving up work (level {status.allowance().level})"
