"""The main job from opening to summary: real threads, real models, sources that misbehave."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from edge_runtime.app import feed as feed_module
from edge_runtime.app import runtime as runtime_module
from edge_runtime.app.runtime import Runtime
from edge_runtime.app.status import CameraStatus
from edge_runtime.app.summary import Summary
from edge_runtime.capture.source import Source
from edge_runtime.config import Config, load_config
from edge_runtime.errors import (
    ModelMissing,
    SourceDamaged,
    SourceLost,
    SourceUnavailable,
    WebUnavailable,
)
from edge_runtime.types import Allowance, Camera, Frame
from tests.app.scripted import Openings, ScriptedSource, frames


def settings(tmp_path: Path, **more: object) -> Config:
    values = {
        "source.uri": "scripted",
        "web.enabled": False,
        "classify.models": [],
        "capture.first_retry_s": 0.001,
        "capture.longest_retry_s": 0.002,
        "state_dir": str(tmp_path),
    }
    return load_config(None, {}, values | more)


@pytest.fixture
def play(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., tuple[Summary, list[str]]]:
    """Run the main job on a source whose every opening is scripted; returns camera states too."""

    def run(openings: Openings, *, live: bool = False) -> tuple[Summary, list[str]]:
        scripts = iter(openings)

        def open_scripted(uri: str, **_: object) -> Source:
            script = next(scripts)
            if isinstance(script, Exception):
                raise script
            return ScriptedSource(iter(script), live=live)

        monkeypatch.setattr(feed_module, "open_source", open_scripted)
        states: list[str] = []

        class WatchedStatus(CameraStatus):
            def publish_camera(self, camera: Camera) -> None:
                states.append(camera.state)
                super().publish_camera(camera)

        monkeypatch.setattr(runtime_module, "CameraStatus", WatchedStatus)
        with Runtime(settings(tmp_path)) as runtime:
            return runtime.run(threading.Event()), states

    return run


def test_a_file_is_read_to_its_end_and_no_frame_is_lost(
    play: Callable[..., tuple[Summary, list[str]]],
) -> None:
    summary, _ = play([frames(40)])
    assert summary.frames == 40
    assert summary.as_json()["dropped"] == 0
    assert summary.problem is None


def test_a_camera_that_is_lost_is_opened_again_and_counted(
    play: Callable[..., tuple[Summary, list[str]]],
) -> None:
    summary, states = play(
        [
            [*frames(5), SourceLost("unplugged")],
            SourceUnavailable("no /dev/video0"),
            SourceUnavailable("no /dev/video0"),
            frames(5),
        ],
        live=True,
    )
    last = summary.cameras[0].last
    assert last is not None
    assert last.rates.captured == 10
    assert states.count("lost") == 2  # unplugged, then absent: two sentences
    assert states[-2:] == ["streaming", "ended"]


def test_a_damaged_file_ends_with_a_summary_and_its_problem(
    play: Callable[..., tuple[Summary, list[str]]],
) -> None:
    summary, _ = play([[*frames(5), SourceDamaged("cut short")]])
    assert summary.frames == 5
    assert isinstance(summary.problem, SourceDamaged)
    assert summary.as_json()["problem"] == "cut short"


def test_a_source_that_cannot_be_opened_raises(
    play: Callable[..., tuple[Summary, list[str]]],
) -> None:
    with pytest.raises(SourceUnavailable, match="no camera"):
        play([SourceUnavailable("no camera")])


def test_a_defect_in_the_capture_thread_is_not_swallowed(
    play: Callable[..., tuple[Summary, list[str]]],
) -> None:
    with pytest.raises(ZeroDivisionError):
        play([[*frames(2), ZeroDivisionError()]])


def test_a_missing_model_ends_the_run_and_its_threads(tmp_path: Path) -> None:
    config = settings(
        tmp_path, **{"source.uri": "demo://?faces=1", "detector.model": "no-such-model"}
    )
    with pytest.raises(ModelMissing, match="no-such-model"), Runtime(config) as runtime:
        runtime.run(threading.Event())
    assert "capture" not in [thread.name for thread in threading.enumerate()]


def test_a_busy_port_is_known_before_anything_else(tmp_path: Path) -> None:
    page = {"web.enabled": True, "web.port": 0, "source.uri": "demo://"}
    with Runtime(settings(tmp_path, **page)) as first:
        assert first.page is not None
        port = int(first.page.url.rstrip("/").rpartition(":")[2])
        second = Runtime(settings(tmp_path, **{**page, "web.port": port}))
        with pytest.raises(WebUnavailable, match=f"port {port} on 127.0.0.1 is taken"):
            second.__enter__()


def test_asked_to_stop_it_stops(tmp_path: Path) -> None:
    stop = threading.Event()

    def stop_after_a_frame() -> None:
        while runtime.status.cameras()[0].snapshot() is None and not stop.wait(0.01):
            pass
        stop.set()

    with Runtime(settings(tmp_path, **{"source.uri": "demo://?faces=1"})) as runtime:
        stopper = threading.Thread(target=stop_after_a_frame, daemon=True)
        stopper.start()
        summary = runtime.run(stop)
        stopper.join(10)
    assert summary.frames > 0
    assert summary.problem is None


def test_the_demo_is_found_and_counted(tmp_path: Path) -> None:
    with Runtime(settings(tmp_path, **{"source.uri": "demo://?faces=1&seed=7"})) as runtime:
        summary = runtime.run(threading.Event(), max_frames=12)
        health = runtime.status.health()
    line = summary.as_json()
    assert line["frames"] == 12
    assert line["frames_with_face"] >= 10
    assert set(line["latency_ms"]) >= {"glance", "detect", "track", "frame", "age"}
    assert line["first_result_s"] > 0
    assert line["peak_memory_mb"] > 20
    assert health is not None
    assert health.memory_mb is not None


def test_where_auto_finds_no_camera_the_page_says_that_it_is_a_demo(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed_module, "open_source", lambda uri, **_: demo_instead(uri))
    with Runtime(settings(tmp_path, **{"source.uri": "auto"})) as runtime:
        runtime.run(threading.Event())
        assert runtime.status.warnings() == (feed_module.NO_CAMERA,)


def demo_instead(uri: str) -> Source:
    source = ScriptedSource(iter(frames(2)), live=False)
    source.uri = "demo://?faces=2"
    return source


@pytest.mark.parametrize(("live", "taken"), [(True, 14), (False, 40)])
def test_of_a_camera_no_more_frames_are_taken_than_allowed_of_a_recording_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, live: bool, taken: int
) -> None:
    closed: list[int] = []
    script = [
        replace(frame, release=partial(closed.append, frame.index))
        for frame in frames(40)
        if isinstance(frame, Frame)
    ]
    source = ScriptedSource(iter(script), live=live)
    monkeypatch.setattr(feed_module, "open_source", lambda _, **__: source)
    runtime = Runtime(settings(tmp_path, **{"governor.enabled": False}))
    runtime.status.publish_allowance(Allowance(fps=10.0, level=6))
    with runtime:
        summary = runtime.run(threading.Event())
    last = summary.cameras[0].last
    assert last is not None
    assert last.rates.captured == taken
    assert runtime.status.cameras()[0].skipped() == 40 - taken
    assert sorted(closed) == list(range(40))


def test_the_governor_is_asked_and_its_answer_shown(tmp_path: Path) -> None:
    quiet = {"source.uri": "demo://?faces=1", "governor.quiet_hours": "00:00-23:59"}
    with Runtime(settings(tmp_path, **quiet)) as runtime:
        runtime.run(threading.Event(), max_frames=5)
        (reason,) = runtime.status.allowance().reasons
    assert reason.endswith("quiet hours, 00:00-23:59")
