"""The governor's decision reaches pipeline and status, and the log once per change."""

from __future__ import annotations

import logging
from dataclasses import replace

import pytest

from edge_runtime.app.restraint import Restraint
from edge_runtime.app.status import CameraStatus, Status
from edge_runtime.config import load_config
from edge_runtime.types import Allowance, Health
from tests.governor.readings import HEALTH


class Told:
    """A pipeline that notes what it is allowed."""

    def __init__(self) -> None:
        self.allowances: list[Allowance] = []

    def allow(self, allowance: Allowance) -> None:
        self.allowances.append(allowance)


class Held:
    """A restraint with all it touches, at a time the test moves."""

    def __init__(self, **settings: object) -> None:
        config = load_config(None, {}, {f"governor.{key}": v for key, v in settings.items()})
        self.now, self.pipeline, self.status = (
            0.0,
            Told(),
            Status(CameraStatus("camera", "demo://")),
        )
        self.restraint = Restraint(
            config,
            [self.pipeline],  # type: ignore[list-item]
            self.status,
            clock=lambda: self.now,
        )

    def go(self, seconds: int, health: Health) -> None:
        for _ in range(seconds):
            self.restraint.apply(health)
            self.now += 1


def at(celsius: float) -> Health:
    return replace(HEALTH, temperature_c=celsius)


def test_below_the_limits_nothing_is_told_to_anyone(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    held = Held()
    held.go(600, at(60.0))
    assert held.pipeline.allowances == []
    assert held.status.allowance() == Allowance()
    assert caplog.messages == []


def test_each_change_is_handed_on_published_and_logged_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    held = Held()
    held.go(15, at(75.5))
    assert [allowance.level for allowance in held.pipeline.allowances] == [1, 2]
    assert held.status.allowance() == held.pipeline.allowances[-1]
    held.go(1000, at(50.0))
    assert held.status.allowance() == Allowance() == held.pipeline.allowances[-1]
    assert caplog.messages == [
        "giving up more (level 1): At most 2 looks a frame: 76 °C, max_temperature_c is 75",
        "giving up more (level 2): At most 1 look a frame: 76 °C, max_temperature_c is 75",
        "giving up less (level 1): At most 2 looks a frame: 76 °C, max_temperature_c is 75",
        "nothing is given up any more",
    ]


def test_switched_off_it_does_nothing() -> None:
    held = Held(enabled=False)
    held.go(600, at(90.0))
    assert held.pipeline.allowances == []


def test_limits_are_those_of_the_settings() -> None:
    held = Held(max_temperature_c=60.0)
    held.go(1, at(61.0))
    assert "max_temperature_c is 60" in held.status.allowance().reasons[0]


def test_other_limits_hold_from_the_next_reading_on() -> None:
    held = Held(max_temperature_c=80.0)
    held.go(60, at(65.0))
    assert held.status.allowance() == Allowance()
    held.restraint.follow(load_config(None, {}, {"governor.max_temperature_c": 60.0}))
    held.go(60, at(65.0))
    assert held.status.allowance().level > 0


def test_switched_off_while_running_it_gives_everything_free() -> None:
    held = Held(max_temperature_c=60.0)
    held.go(60, at(65.0))
    assert held.pipeline.allowances[-1].level > 0
    held.restraint.follow(load_config(None, {}, {"governor.enabled": False}))
    held.go(1, at(65.0))
    assert held.status.allowance() == held.pipeline.allowances[-1] == Allowance()
