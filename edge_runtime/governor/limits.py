"""What must not be exceeded. None: no limit."""

from __future__ import annotations

from dataclasses import dataclass

from edge_runtime.quiet_hours import QuietHours


@dataclass(frozen=True, slots=True)
class Limits:
    """Of the machine and of what people wait for."""

    max_temperature_c: float | None = None
    max_power_w: float | None = None
    """Of whatever the power figure's scope is; its mean over half a minute."""
    target_fps: float | None = None
    """Fewer processed frames while others are dropped are too few."""
    max_latency_ms: float | None = None
    """Of a whole frame's processing, 95 of 100."""
    quiet_hours: QuietHours | None = None
