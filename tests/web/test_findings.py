"""The headline: the worst first, in words, with what to do."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edge_runtime.types import Camera, Health, Percentiles, Snapshot, Throttling
from edge_runtime.web.findings import STALE_S, limits_of, not_ready, span, state_of
from edge_runtime.web.report import StateReport
from edge_runtime.web.sight import Sight
from tests.web.fake_status import CAMERA, HEALTH, LOST, QUIET, snapshot


def state(
    camera: Camera,
    last: Snapshot | None,
    health: Health | None,
    warnings: tuple[str, ...],
    now: float,
) -> StateReport:
    """Of one camera."""
    return state_of((Sight("camera", camera, last),), health, warnings, now)


def alarm(name: str) -> Throttling:
    return replace(QUIET, **{name: True})


@pytest.mark.parametrize(
    ("faces", "words"),
    [(0, "no face"), (1, "1 face"), (2, "2 faces")],
)
def test_all_is_well(faces: int, words: str) -> None:
    some = snapshot()
    found = state(CAMERA, replace(some, faces=some.faces[:faces]), HEALTH, (), 100.1)
    assert (found.level, found.sentence) == ("fine", f"Fine: 29.8 frames a second, {words}")
    assert found.others == ()


def test_a_rate_that_is_unknown_is_not_zero() -> None:
    rates = replace(snapshot().rates, processed_fps=None)
    found = state(CAMERA, snapshot(rates=rates), None, (), 100.0)
    assert found.sentence == "Fine: frames flow, 2 faces"


def test_a_lost_camera_comes_before_everything() -> None:
    health = replace(HEALTH, throttling=alarm("under_voltage"))
    found = state(LOST, snapshot(), health, ("An input is cut short",), 112.9)
    assert (found.level, found.sentence) == ("act", "Camera lost 12 s ago, retrying")
    assert found.advice == LOST.problem
    assert [finding.level for finding in found.others] == ["act", "watch"]


@pytest.mark.parametrize(
    ("name", "level", "word"),
    [
        ("under_voltage", "act", "Under-voltage"),
        ("throttled", "act", "Throttled"),
        ("frequency_capped", "watch", "capped"),
        ("soft_temperature_limit", "watch", "temperature"),
    ],
)
def test_alarms_say_what_to_do(name: str, level: str, word: str) -> None:
    found = state(CAMERA, snapshot(), replace(HEALTH, throttling=alarm(name)), (), 100.0)
    assert found.level == level
    assert word in found.sentence
    assert found.advice


def test_an_alarm_since_boot_is_not_shown_as_current() -> None:
    assert HEALTH.throttling is not None
    assert HEALTH.throttling.under_voltage_since_boot
    assert state(CAMERA, snapshot(), HEALTH, (), 100.0).level == "fine"


def test_heat_is_a_matter_of_the_boards_own_limit() -> None:
    hot = replace(HEALTH, temperature_c=76.4)
    found = state(CAMERA, snapshot(), hot, (), 100.0)
    assert found.sentence == "Hot: 76 °C, it slows down at 80 °C"
    unknown = replace(hot, temperature_limit_c=None)
    assert state(CAMERA, snapshot(), unknown, (), 100.0).level == "fine"


def test_short_memory_is_said() -> None:
    found = state(CAMERA, snapshot(), replace(HEALTH, memory_available_mb=31.0), (), 100.0)
    assert (found.level, found.sentence) == (
        "watch",
        "Memory is short: 31 MiB left on the machine",
    )


def test_where_the_lines_are_drawn_is_told() -> None:
    told = limits_of(HEALTH)
    assert (told.hot_c, told.stale_s) == (75.0, STALE_S)
    just_below = replace(HEALTH, temperature_c=74.9, memory_available_mb=told.low_memory_mb)
    assert state(CAMERA, snapshot(), just_below, (), 100.0).level == "fine"
    assert limits_of(None).hot_c is None


def test_a_camera_that_delivers_nothing_is_noticed_before_it_counts_as_lost() -> None:
    assert state(CAMERA, snapshot(), HEALTH, (), 104.0).sentence == "No new picture for 4 s"


def test_before_the_first_picture() -> None:
    opening = replace(CAMERA, state="opening")
    assert state(opening, None, None, (), 5.0).sentence == "Waiting for the first picture"
    assert not_ready((Sight("camera", opening, None),), 5.0, 5.0) == "Waiting for the first picture"


def test_a_source_that_ended() -> None:
    ended = replace(CAMERA, state="ended")
    found = state(ended, snapshot(), HEALTH, (), 500.0)
    assert found.sentence == "The source has ended after 4477 frames"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(-1, "0 s"), (0.9, "0 s"), (119, "119 s"), (120, "2 min"), (3600, "1 h 0 min")],
)
def test_spans_in_words(seconds: float, words: str) -> None:
    assert span(seconds) == words


def test_with_several_cameras_a_finding_says_whose_it_is_and_fine_is_the_sum() -> None:
    front, back = Sight("front", CAMERA, snapshot()), Sight("back", CAMERA, snapshot())
    found = state_of((front, back), HEALTH, (), 100.1)
    assert found.sentence == "Fine: 59.7 frames a second from 2 cameras, 4 faces"
    found = state_of((front, back._replace(camera=LOST)), HEALTH, (), 100.1)
    assert (found.level, found.sentence) == ("act", "back: Camera lost 0 s ago, retrying")


def test_a_camera_that_failed_says_why() -> None:
    failed = replace(CAMERA, state="ended", problem="no /dev/video1")
    found = state(failed, None, None, (), 5.0)
    assert (found.level, found.sentence, found.advice) == ("act", "Camera failed", "no /dev/video1")


def test_one_camera_whose_frames_flow_is_enough_to_be_ready() -> None:
    lost, well = Sight("front", LOST, snapshot()), Sight("back", CAMERA, snapshot())
    assert not_ready((lost, well), 101.0, 5.0) is None
    assert not_ready((lost, lost), 101.0, 5.0) == "Camera lost 1 s ago, retrying"


@pytest.mark.parametrize(
    ("dropped", "p50", "level"),
    [(15.0, 20.0, "fine"), (15.1, 20.0, "watch"), (2.0, 66.6, "fine"), (2.0, 66.7, "watch")],
)
def test_a_camera_that_most_pictures_of_go_unseen_is_to_be_watched(
    dropped: float, p50: float, level: str
) -> None:
    rates = replace(snapshot().rates, captured_fps=30.0, processed_fps=12.0, dropped_fps=dropped)
    last = snapshot(rates=rates, latency={"frame": Percentiles(p50, p50, p50)})
    found = state(CAMERA, last, HEALTH, (), 100.0)
    assert found.level == level
    if level == "watch":
        assert found.sentence == "Behind: 12.0 of 30.0 pictures a second are looked at"
    assert state(replace(CAMERA, live=False), last, HEALTH, (), 100.0).level == "fine"


def test_heat_at_the_limit_needs_somebody() -> None:
    for heat, level in ((79.9, "watch"), (80.0, "act")):
        found = state(CAMERA, snapshot(), replace(HEALTH, temperature_c=heat), (), 100.0)
        assert found.level == level
