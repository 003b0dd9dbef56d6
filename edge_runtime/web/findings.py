"""From numbers to sentences: is it fine, and if not, what to do. Pure functions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from edge_runtime.types import Health, Throttling
from edge_runtime.web.report import Finding, Level, LimitsReport, StateReport
from edge_runtime.web.sight import Sight

STALE_S: Final = 3.0
"""Pictures that are this old are no longer live, whatever the camera's state says."""

NEAR_LIMIT_C: Final = 5.0

LOW_MEMORY_MB: Final = 48.0
"""With less left, Linux drops program pages to read them again from the card, and all is slow."""

MANY_DROPPED: Final = 0.5
"""Share of a live camera's pictures; less is by design, for the newest wins."""

_RANK: Final[dict[Level, int]] = {"act": 0, "watch": 1, "fine": 2}

_ALARMS: Final[tuple[tuple[str, Level, str, str], ...]] = (
    (
        "under_voltage",
        "act",
        "Under-voltage: the power supply cannot keep up",
        "Use the power supply made for this board (Pi 5: 27 W, Pi 4: 15 W), a short cable.",
    ),
    (
        "throttled",
        "act",
        "Throttled: the processor is slowed down to protect itself",
        "Cool it: a heat sink or a fan, and air around the case.",
    ),
    (
        "frequency_capped",
        "watch",
        "The processor's clock is capped by the firmware",
        "Check the power supply and the cooling.",
    ),
    (
        "soft_temperature_limit",
        "watch",
        "The soft temperature limit is reached, the clock is lowered",
        "Give the board more air.",
    ),
)


def state_of(
    sights: Sequence[Sight],
    health: Health | None,
    warnings: tuple[str, ...],
    now: float,
) -> StateReport:
    """The worst of all findings first; ``now`` is on the clock of ``snapshot.taken_at``."""
    findings = [
        *(finding for sight in sights for finding in _named(sight, now, len(sights) > 1)),
        *_of_health(health),
        *(Finding(level="watch", sentence=warning, advice=None) for warning in warnings),
    ]
    findings.sort(key=lambda finding: _RANK[finding.level])
    worst = findings[0] if findings else _fine(sights)
    return StateReport(
        level=worst.level,
        sentence=worst.sentence,
        advice=worst.advice,
        others=tuple(findings[1:]),
    )


def matter_of(sight: Sight, now: float) -> str | None:
    """What is the matter with a camera, in one sentence; None when its frames flow."""
    return next((finding.sentence for finding in _of_camera(sight, now)), None)


def not_ready(sights: Sequence[Sight], now: float, within_s: float) -> str | None:
    """Why frames do not flow, in one sentence; None when one camera's last is fresh enough.

    One camera of several is no reason: whoever restarts the program for it stops the others.
    """
    if any(_is_fresh(sight, now, within_s) for sight in sights):
        return None
    return matter_of(sights[0], now) or "No frame yet"


def _is_fresh(sight: Sight, now: float, within_s: float) -> bool:
    camera, snapshot = sight.camera, sight.snapshot
    return snapshot is not None and camera.state != "lost" and now - snapshot.taken_at <= within_s


def span(seconds: float) -> str:
    """A length of time in words: ``12 s``, ``4 min``, ``3 h 5 min``."""
    whole = max(0, int(seconds))
    if whole < 120:
        return f"{whole} s"
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


def _named(sight: Sight, now: float, several: bool) -> Iterator[Finding]:
    for finding in (*_of_camera(sight, now), *_of_pace(sight)):
        sentence = f"{sight.name}: {finding.sentence}" if several else finding.sentence
        yield finding.model_copy(update={"sentence": sentence})


def _of_camera(sight: Sight, now: float) -> Iterator[Finding]:
    camera, snapshot = sight.camera, sight.snapshot
    age = None if snapshot is None else now - snapshot.taken_at
    if camera.state == "lost":
        since = "Camera lost" if age is None else f"Camera lost {span(age)} ago"
        yield Finding(level="act", sentence=f"{since}, retrying", advice=camera.problem)
    elif camera.state == "ended" and camera.problem is not None:
        yield Finding(level="act", sentence="Camera failed", advice=camera.problem)
    elif camera.state == "ended":
        count = 0 if snapshot is None else snapshot.rates.processed
        yield Finding(
            level="watch", sentence=f"The source has ended after {count} frames", advice=None
        )
    elif age is None:
        yield Finding(
            level="watch", sentence="Waiting for the first picture", advice=camera.description
        )
    elif age > STALE_S:
        yield Finding(
            level="act",
            sentence=f"No new picture for {span(age)}",
            advice="The camera is open but delivers nothing; it is reopened if that goes on.",
        )


def _of_pace(sight: Sight) -> Iterator[Finding]:
    if sight.snapshot is None or sight.camera.state != "streaming" or not sight.camera.live:
        return
    rates, frame = sight.snapshot.rates, sight.snapshot.latency.get("frame")
    done = rates.processed_fps
    # As they are shown, so that a number and the headline above it never disagree.
    given, dropped = round(rates.captured_fps or 0.0, 1), round(rates.dropped_fps or 0.0, 1)
    if not given or done is None:
        return
    # As much is dropped when a picture takes longer than there is time for those that stay.
    slow = frame is not None and frame.p50 * (1 - MANY_DROPPED) > 1000 / given
    if dropped > MANY_DROPPED * given or slow:
        yield Finding(
            level="watch",
            sentence=f"Behind: {done:.1f} of {given:.1f} pictures a second are looked at",
            advice="Ask the camera for fewer a second, or use fewer models.",
        )


def _of_health(health: Health | None) -> Iterator[Finding]:
    if health is None:
        return
    if health.throttling is not None:
        yield from _of_throttling(health.throttling)
    heat, limit = health.temperature_c, health.temperature_limit_c
    if heat is not None and limit is not None and heat >= limit - NEAR_LIMIT_C:
        yield Finding(
            level="watch" if heat < limit else "act",
            sentence=f"Hot: {heat:.0f} °C, it slows down at {limit:.0f} °C",
            advice="Give the board more air, a heat sink or a fan.",
        )
    left = health.memory_available_mb
    if left is not None and left < LOW_MEMORY_MB:
        yield Finding(
            level="watch",
            sentence=f"Memory is short: {left:.0f} MiB left on the machine",
            advice="Stop other programs, or use fewer models or a smaller picture.",
        )


def limits_of(health: Health | None) -> LimitsReport:
    """Where the findings draw their lines."""
    limit = None if health is None else health.temperature_limit_c
    return LimitsReport(
        hot_c=None if limit is None else limit - NEAR_LIMIT_C,
        stale_s=STALE_S,
        low_memory_mb=LOW_MEMORY_MB,
        most_dropped=MANY_DROPPED,
    )


def _of_throttling(throttling: Throttling) -> Iterator[Finding]:
    for alarm, level, sentence, advice in _ALARMS:
        if getattr(throttling, alarm):
            yield Finding(level=level, sentence=sentence, advice=advice)


def _fine(sights: Sequence[Sight]) -> Finding:
    known = [sight.snapshot for sight in sights if sight.snapshot is not None]
    rates = [each.rates.processed_fps for each in known if each.rates.processed_fps is not None]
    faces = sum(len(each.faces) for each in known)
    speed = f"{sum(rates):.1f} frames a second" if rates else "frames flow"
    if len(sights) > 1:
        speed += f" from {len(sights)} cameras"
    seen = "no face" if not faces else "1 face" if faces == 1 else f"{faces} faces"
    return Finding(level="fine", sentence=f"Fine: {speed}, {seen}", advice=None)
