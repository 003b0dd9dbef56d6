"""Several cameras in one run: one thread looks at all, and each stands for itself."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from edge_runtime.app import feed as feed_module
from edge_runtime.app.runtime import Runtime
from edge_runtime.app.summary import Summary
from edge_runtime.capture.source import Source
from edge_runtime.config import Config, load_config
from edge_runtime.errors import SourceDamaged, SourceLost, SourceUnavailable
from edge_runtime.types import Frame
from tests.app.scripted import Openings, ScriptedSource, frames


def config_of(tmp_path: Path, uris: Mapping[str, str], **more: object) -> Config:
    """A config file with a ``[[camera]]`` for each name."""
    path = tmp_path / "config.toml"
    tables = [f'[[camera]]\nname = "{name}"\nuri = "{uri}"\n' for name, uri in uris.items()]
    path.write_text("\n".join(tables))
    values = {
        "web.enabled": False,
        "classify.models": [],
        "capture.first_retry_s": 0.001,
        "capture.longest_retry_s": 0.002,
        "state_dir": str(tmp_path),
    }
    return load_config(path, {}, values | more)


def absent(sentence: str, *, tries: int = 10_000) -> Openings:
    """A camera that is not there, however often somebody tries."""
    return [SourceUnavailable(sentence)] * tries


class Play:
    """Runs on cameras whose every opening is scripted, by the name of the camera."""

    def __init__(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._tmp_path, self._monkeypatch = tmp_path, monkeypatch
        self.runtime: Runtime | None = None

    def run(self, openings: Mapping[str, Openings], *, live: bool = False) -> Summary:
        scripts = {f"scripted-{name}": iter(each) for name, each in openings.items()}

        def open_scripted(uri: str, **_: object) -> Source:
            script = next(scripts[uri])
            if isinstance(script, Exception):
                raise script
            return ScriptedSource(iter(script), live=live)

        self._monkeypatch.setattr(feed_module, "open_source", open_scripted)
        config = config_of(self._tmp_path, {name: f"scripted-{name}" for name in openings})
        with Runtime(config) as runtime:
            self.runtime = runtime
            return runtime.run(threading.Event())

    def problems(self) -> dict[str, str | None]:
        """What is said of each camera."""
        assert self.runtime is not None
        return {each.name: each.camera().problem for each in self.runtime.status.cameras()}


@pytest.fixture
def play(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Play:
    return Play(tmp_path, monkeypatch)


def test_three_demos_are_watched_at_once_each_with_its_own_faces(tmp_path: Path) -> None:
    uris = {
        "front": "demo://?faces=1&frames=30&seed=7",
        "back": "demo://?faces=2&frames=20&seed=3",
        "yard": "demo://?faces=0&frames=25",
    }
    with Runtime(config_of(tmp_path, uris)) as runtime:
        summary = runtime.run(threading.Event())
    line = summary.as_json()
    assert {name: each["frames"] for name, each in line["cameras"].items()} == {
        "front": 30,
        "back": 20,
        "yard": 25,
    }
    assert (line["frames"], line["dropped"], line["problem"]) == (75, 0, None)
    cameras = line["cameras"]
    assert cameras["front"]["frames_with_face"] > 20
    assert cameras["yard"]["frames_with_face"] == 0
    assert line["faces"] == sum(each["faces"] for each in cameras.values())
    # Each has a tracker of its own, whose numbers begin at 1.
    assert cameras["front"]["tracks"] >= 1
    assert cameras["back"]["tracks"] >= 2
    assert cameras["front"]["source"] == uris["front"]


def test_no_thread_is_left(tmp_path: Path) -> None:
    uris = dict.fromkeys(("front", "back"), "demo://?faces=0")
    page = {"web.enabled": True, "web.port": 0}
    with Runtime(config_of(tmp_path, uris, **page)) as runtime:
        assert runtime.run(threading.Event(), max_frames=8).frames == 8
        ours = {"capture-front", "capture-back", "preview"}
        assert ours <= {thread.name for thread in threading.enumerate()}
    assert ours.isdisjoint(thread.name for thread in threading.enumerate())


def test_a_camera_that_cannot_be_opened_is_tried_while_others_deliver(play: Play) -> None:
    summary = play.run({"front": [frames(40)], "back": absent("no /dev/video1")})
    assert [each.tally.frames for each in summary.cameras] == [40, 0]
    assert play.problems() == {"front": None, "back": "no /dev/video1"}
    line = summary.as_json()
    assert line["problem"] == line["cameras"]["back"]["problem"] == "no /dev/video1"
    assert line["cameras"]["front"]["problem"] is None


def test_a_camera_that_is_late_joins_the_others(play: Play) -> None:
    came = threading.Event()

    def until_the_other_came() -> Iterator[Frame | Exception]:
        yield from frames(1)
        assert came.wait(10)
        yield from frames(1)

    def late() -> Iterator[Frame | Exception]:
        yield from frames(3)
        came.set()

    booting = absent("still booting", tries=3)
    summary = play.run({"front": [until_the_other_came()], "back": [*booting, late()]})
    assert [each.tally.frames for each in summary.cameras] == [2, 3]
    assert play.problems() == {"front": None, "back": None}
    assert summary.problem is None


def test_a_damaged_file_ends_one_camera_only(play: Play) -> None:
    summary = play.run({"front": [[*frames(5), SourceDamaged("cut short")]], "back": [frames(40)]})
    assert [each.tally.frames for each in summary.cameras] == [5, 40]
    assert isinstance(summary.problem, SourceDamaged)


def test_a_lost_camera_comes_back_beside_one_that_was_never_lost(play: Play) -> None:
    lost: Openings = [
        [*frames(5), SourceLost("unplugged")],
        SourceUnavailable("not yet"),
        frames(5),
    ]
    summary = play.run({"front": lost, "back": [frames(30)]}, live=True)
    captured = [each.last.rates.captured if each.last else 0 for each in summary.cameras]
    assert captured == [10, 30]
    assert summary.problem is None


def test_when_all_have_failed_the_first_ones_error_is_raised(play: Play) -> None:
    with pytest.raises(SourceUnavailable, match="no front"):
        play.run(
            {
                "front": absent("no front"),
                "back": [[*frames(3), SourceDamaged("cut short")]],
            }
        )


def test_a_defect_in_one_capture_thread_ends_the_run(play: Play) -> None:
    with pytest.raises(ZeroDivisionError):
        play.run({"front": [[*frames(2), ZeroDivisionError()]], "back": [frames(100)]})


def test_a_source_on_the_command_line_is_the_only_camera(tmp_path: Path) -> None:
    uris = {"front": "demo://", "back": "demo://"}
    config = config_of(tmp_path, uris, **{"source.uri": "demo://?frames=3"})
    with Runtime(config) as runtime:
        line = runtime.run(threading.Event()).as_json()
    assert (line["frames"], "cameras" in line) == (3, False)
