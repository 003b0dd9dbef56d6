"""The headline: the worst first, in words, with what to do."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edge_runtime.types import Throttling
from edge_runtime.web.findings import not_ready, span, state_of
from tests.web.fake_status import CAMERA, HEALTH, LOST, QUIET, snapshot


def alarm(name: str) -> Throttling:
    return replace(QUIET, **{name: True})


@pytest.mark.parametrize(
    ("faces", "words"),
    [(0, "no face"), (1, "1 face"), (2, "2 faces")],
)
def test_all_is_well(faces: int, words: str) -> None:
    some = snapshot()
    state = state_of(CAMERA, replace(some, faces=some.faces[:faces]), HEALTH, (), 100.1)
    assert (state.level, state.sentence) == ("fine", f"Fine: 29.8 frames a second, {words}")
    assert state.others == ()


def test_a_rate_that_is_unknown_is_not_zero() -> None:
    rates = replace(snapshot().rates, processed_fps=None)
    state = state_of(CAMERA, snapshot(rates=rates), None, (), 100.0)
    assert state.sentence == "Fine: frames flow, 2 faces"


def test_a_lost_camera_comes_before_everything() -> None:
    health = replace(HEALTH, throttling=alarm("under_voltage"))
    state = state_of(LOST, snapshot(), health, ("An input is cut short",), 112.9)
    assert (state.level, state.sentence) == ("act", "Camera lost 12 s ago, retrying")
    assert state.advice == LOST.problem
    assert [finding.level for finding in state.others] == ["act", "watch"]


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
    state = state_of(CAMERA, snapshot(), replace(HEALTH, throttling=alarm(name)), (), 100.0)
    assert state.level == level
    assert word in state.sentence
    assert state.advice


def test_an_alarm_since_boot_is_not_shown_as_current() -> None:
    assert HEALTH.throttling is not None
    assert HEALTH.throttling.under_voltage_since_boot
    assert state_of(CAMERA, snapshot(), HEALTH, (), 100.0).level == "fine"


def test_heat_is_a_matter_of_the_boards_own_limit() -> None:
    hot = replace(HEALTH, temperature_c=76.4)
    state = state_of(CAMERA, snapshot(), hot, (), 100.0)
    assert state.sentence == "Hot: 76 °C, it slows down at 80 °C"
    unknown = replace(hot, temperature_limit_c=None)
    assert state_of(CAMERA, snapshot(), unknown, (), 100.0).level == "fine"


def test_a_camera_that_delivers_nothing_is_noticed_before_it_counts_as_lost() -> None:
    assert state_of(CAMERA, snapshot(), HEALTH, (), 104.0).sentence == "No new picture for 4 s"


def test_before_the_first_picture() -> None:
    opening = replace(CAMERA, state="opening")
    assert state_of(opening, None, None, (), 5.0).sentence == "Waiting for the first picture"
    assert not_ready(opening, None, 5.0, 5.0) == "Waiting for the first picture"


def test_a_source_that_ended() -> None:
    ended = replace(CAMERA, state="ended")
    state = state_of(ended, snapshot(), HEALTH, (), 500.0)
    assert state.sentence == "The source has ended after 4477 frames"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(-1, "0 s"), (0.9, "0 s"), (119, "119 s"), (120, "2 min"), (3600, "1 h 0 min")],
)
def test_spans_in_words(seconds: float, words: str) -> None:
    assert span(seconds) == words
