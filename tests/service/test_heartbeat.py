"""Ready with the first frame, alive with each further one, silent when none comes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_runtime.service.heartbeat import Heartbeat
from edge_runtime.service.notifier import Notifier
from tests.service.listening import Supervisor


class Watched:
    """A heartbeat with a watchdog of 20 s, at a time the test moves."""

    def __init__(self, supervisor: Supervisor) -> None:
        self.now = 100.0
        self.supervisor = supervisor
        self.heartbeat = Heartbeat(
            Notifier(supervisor.address), watchdog_s=20.0, clock=lambda: self.now
        )

    def told(self) -> list[dict[str, str]]:
        return self.supervisor.messages()


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    with Supervisor(tmp_path / "notify") as supervisor:
        watched = Watched(supervisor)
        with watched.heartbeat:
            yield watched


def test_the_first_frame_makes_it_ready_once(watched: Watched) -> None:
    watched.heartbeat.frame_done()
    watched.heartbeat.frame_done()
    assert watched.told() == [{"READY": "1"}, {"WATCHDOG": "1"}]


def test_frames_feed_the_watchdog_four_times_an_interval(watched: Watched) -> None:
    watched.heartbeat.frame_done()
    watched.told()
    for _ in range(20 * 32):  # 20 s at 32 frames a second
        watched.now += 1 / 32
        watched.heartbeat.frame_done()
    assert watched.told() == [{"WATCHDOG": "1"}] * 4


def test_a_camera_that_is_away_feeds_it_too(watched: Watched) -> None:
    watched.heartbeat.frame_done()
    watched.told()
    watched.now += 6
    watched.heartbeat.camera_awaited()
    assert watched.told() == [{"WATCHDOG": "1"}]


def test_until_the_first_frame_a_start_is_extended_not_declared(watched: Watched) -> None:
    watched.heartbeat.camera_awaited()
    assert watched.told() == [{"EXTEND_TIMEOUT_USEC": "20000000"}]


def test_a_reload_is_framed_with_the_time_systemd_asks_for(watched: Watched) -> None:
    watched.heartbeat.frame_done()
    watched.told()
    watched.heartbeat.reload_began()
    watched.heartbeat.reload_ended("settings read again")
    began, ended = watched.told()
    assert began["RELOADING"] == "1"
    assert began["MONOTONIC_USEC"].isdecimal()
    assert ended == {"READY": "1", "STATUS": "settings read again"}


def test_a_reload_before_the_first_frame_makes_nothing_ready(watched: Watched) -> None:
    watched.heartbeat.reload_ended("settings read again")
    assert watched.told() == [{"STATUS": "settings read again"}]


def test_an_end_is_announced(watched: Watched) -> None:
    watched.heartbeat.stopping()
    assert watched.told()[0]["STOPPING"] == "1"


@pytest.mark.parametrize(
    ("environ", "watchdog_s"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "30000000"}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
    ],
)
def test_the_interval_is_what_the_environment_asks_of_this_process(
    environ: dict[str, str], watchdog_s: float | None
) -> None:
    assert Heartbeat.of(environ).watchdog_s == watchdog_s
