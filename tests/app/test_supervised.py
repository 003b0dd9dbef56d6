"""What a supervisor hears of a run: real sockets, real threads, cameras that misbehave."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from edge_runtime.app import feed as feed_module
from edge_runtime.app.runtime import Runtime
from edge_runtime.capture.source import Source
from edge_runtime.errors import SourceLost, SourceUnavailable
from edge_runtime.service.heartbeat import Heartbeat
from edge_runtime.service.notifier import Notifier
from edge_runtime.types import Frame
from tests.app.scripted import Openings, ScriptedSource, frames
from tests.app.test_runtime import settings
from tests.service.listening import Supervisor


class Supervised:
    """Runs on a scripted camera under a watchdog so short that each beat is told."""

    def __init__(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._tmp_path, self._monkeypatch = tmp_path, monkeypatch
        self.stop = threading.Event()

    def run(self, openings: Openings, **more: object) -> list[dict[str, str]]:
        scripts = iter(openings)

        def open_scripted(uri: str, **_: object) -> Source:
            script = next(scripts)
            if isinstance(script, Exception):
                raise script
            return ScriptedSource(iter(script), live=True)

        self._monkeypatch.setattr(feed_module, "open_source", open_scripted)
        with Supervisor(self._tmp_path / "notify") as supervisor:
            heartbeat = Heartbeat(Notifier(supervisor.address), watchdog_s=1e-6)
            with heartbeat, Runtime(settings(self._tmp_path, **more), heartbeat=heartbeat) as run:
                run.run(self.stop)
            return supervisor.messages()


@pytest.fixture
def supervised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Supervised:
    return Supervised(tmp_path, monkeypatch)


def keys(messages: Iterable[dict[str, str]]) -> list[str]:
    return [key for message in messages for key in message if key != "STATUS"]


def test_ready_then_alive_then_stopping(supervised: Supervised) -> None:
    told = keys(supervised.run([frames(3)]))
    assert told[0] == "READY"
    assert set(told[1:-1]) == {"WATCHDOG"}
    assert told[-1] == "STOPPING"


def test_one_line_says_how_it_stands(supervised: Supervised) -> None:
    messages = supervised.run([frames(3)])
    assert any(message.get("STATUS") for message in messages)


def test_a_camera_that_is_away_and_tried_again_feeds_the_watchdog(supervised: Supervised) -> None:
    # Away for two looks of the loop at least: between them only the pause can have fed it.
    away: Openings = [[*frames(1), SourceLost("unplugged")], frames(1)]
    patience = {"capture.first_retry_s": 0.6, "capture.longest_retry_s": 0.6}
    told = keys(supervised.run(away, **patience))
    assert told.count("WATCHDOG") > 2  # one for each frame, and for the time between


def test_a_camera_that_hangs_does_not(supervised: Supervised) -> None:
    release = threading.Event()

    def hanging() -> Iterator[Frame | Exception]:
        yield from frames(1)
        threading.Timer(0.7, release.set).start()
        release.wait(10)  # a driver that does not come back; nobody pauses on purpose here

    told = keys(supervised.run([hanging()]))
    assert told.count("WATCHDOG") == 1


def test_a_camera_absent_at_the_start_is_waited_for_when_asked(supervised: Supervised) -> None:
    patience = {
        "capture.wait_at_start": True,
        "capture.first_retry_s": 1.0,  # far longer than the loop takes to look around
        "capture.longest_retry_s": 1.0,
    }
    told = keys(supervised.run([SourceUnavailable("no camera"), frames(1)], **patience))
    assert told[0] == "EXTEND_TIMEOUT_USEC"
    assert told.index("READY") > 0
