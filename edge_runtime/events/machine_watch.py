"""The machine: the firmware's alarms, and what the governor gives up."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from edge_runtime.event import EventKind, Value
from edge_runtime.events.log import EventLog
from edge_runtime.types import Allowance, Clock, Health, Throttling

CALM_S: Final = 10.0
"""An alarm is over when it was not seen for so long: at its edge it flickers for minutes."""

_WORDS: Final = {
    "under_voltage": "under-voltage: the power supply or its cable cannot keep up",
    "frequency_capped": "the processor's clock is capped",
    "throttled": "the processor is throttled",
    "soft_temperature_limit": "the soft temperature limit is reached",
}


class MachineWatch:
    """Called by the telemetry thread after each reading."""

    def __init__(self, log: EventLog, *, clock: Clock) -> None:
        self._log, self._clock = log, clock
        self._began: dict[str, float] = {}
        self._seen: dict[str, float] = {}
        self._level = 0

    def reads(self, health: Health) -> None:
        """An alarm begins at once and ends when it has been calm for a while."""
        now = self._clock()
        for alarm, on in _alarms(health.throttling):
            if on:
                self._seen[alarm] = now
                if alarm not in self._began:
                    self._began[alarm] = now
                    words = _WORDS[alarm]
                    self._tell(alarm, "", words[0].upper() + words[1:])
            elif alarm in self._began and now - self._seen[alarm] >= CALM_S:
                seconds = round(self._seen[alarm] - self._began.pop(alarm), 1)
                words = _WORDS[alarm].partition(":")[0]
                self._tell(alarm, "_over", f"Over: {words}, for {seconds:.0f} s", seconds=seconds)

    def allows(self, allowance: Allowance) -> None:
        """What may be done from now on."""
        level, before = allowance.level, self._level
        self._level = level
        if level == before:
            return
        reason = allowance.reasons[0] if allowance.reasons else None
        kind: EventKind = "governor_gave_up" if level > before else "governor_gave_back"
        self._log.tell(
            kind, reason or "Nothing is given up any more", level=level, before=before,
            reason=reason,
        )  # fmt: skip

    def _tell(self, alarm: str, over: str, sentence: str, **more: float) -> None:
        kind = "under_voltage" if alarm == "under_voltage" else "throttled"
        fields: dict[str, Value] = {"alarm": alarm, **more}
        self._log.tell(_KINDS[kind + over], sentence, camera=None, track=None, **fields)


_KINDS: Final[dict[str, EventKind]] = {
    "under_voltage": "under_voltage",
    "under_voltage_over": "under_voltage_over",
    "throttled": "throttled",
    "throttled_over": "throttled_over",
}


def _alarms(throttling: Throttling | None) -> Iterator[tuple[str, bool | None]]:
    """Of now. A board that cannot tell has no alarm, and one that is on stays so."""
    if throttling is not None:
        for alarm in _WORDS:
            yield alarm, getattr(throttling, alarm)
