"""Models are put in while frames flow: real models, a real shelf, the frames' own thread."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import pytest

from edge_runtime.app.activator import Activator
from edge_runtime.app.assembly import Assembly
from edge_runtime.app.between import Between
from edge_runtime.capture.source import open_source
from edge_runtime.config import Config, load_config
from edge_runtime.errors import ModelMissing, ModelRejected
from edge_runtime.mailbox import Mailbox
from edge_runtime.pipeline import Pipeline
from edge_runtime.pipeline.probation import FRAMES
from edge_runtime.store.catalogue import packaged_models
from edge_runtime.store.manifest import read_manifest
from edge_runtime.store.shelf.shelf import Shelf
from edge_runtime.store.shelf.version import Version
from edge_runtime.store.trial.verdict import Verdict
from edge_runtime.types import Frame, Snapshot
from tests.white_faces import frame_with

SMILE = "classifier/smile"


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def admitted(shelf: Shelf, tmp_path: Path, version: str, *, model: str = "smile") -> Version:
    """A shipped model that says it is of another version."""
    packaged = packaged_models()
    assert packaged is not None
    fields = json.loads((packaged / model / "manifest.json").read_text("utf-8"))
    content = (packaged / model / "model.tflite").read_bytes()
    described = json.dumps({**fields, "version": version}).encode()
    (tmp_path / "manifest.json").write_bytes(described)
    manifest = read_manifest(tmp_path / "manifest.json")
    files = {"model.tflite": content, "manifest.json": described}
    return shelf.admit(manifest, files, Verdict(True, "fine", manifest.sha256))


def during_frames(call: Callable[[], object], *frame: Callable[[], object]) -> None:
    """Call from another thread while this one does a ``frame`` over and over; raises its error."""
    errors: list[BaseException] = []

    def work() -> None:
        try:
            call()
        except Exception as error:
            errors.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    while thread.is_alive():
        for step in frame:
            step()
        thread.join(0.001)
    if errors:
        raise errors[0]


@dataclass
class House:
    """All that an activator needs, and what it told."""

    shelf: Shelf
    assembly: Assembly
    pipelines: tuple[Pipeline, ...]
    """Two cameras'."""
    between: Between
    activator: Activator
    clock: Clock
    told: list[str]
    here: Path

    def during_frames(self, call: Callable[[], object]) -> None:
        during_frames(call, self.between.run_waiting, self.snapshot)

    def snapshot(self) -> Snapshot:
        """Of the first camera, once both have had a frame."""
        frame = frame_with(None, taken_at=self.clock.now)
        first, _ = (pipeline.process(frame) for pipeline in self.pipelines)
        return first

    def versions(self) -> list[str]:
        """What plays, for every camera alike."""
        frame = frame_with(None, taken_at=self.clock.now)
        first, second = (each.process(frame).models for each in self.pipelines)
        assert first == second
        return [f"{each.name} {each.version}" for each in first]


def faces_of_the_demo(seed: int) -> Iterator[Frame]:
    """Frames in which there are faces from the first on."""
    with open_source(f"demo://?faces=2&frames=40&seed={seed}") as source:
        yield from source


def house(tmp_path: Path, **settings: object) -> House:
    config: Config = load_config(None, {}, {"state_dir": str(tmp_path)} | settings)
    shelf, clock, between = Shelf(tmp_path / "models"), Clock(), Between()
    assembly = Assembly(config, shelf=shelf)
    pipelines = (assembly.pipeline(Mailbox(clock)), assembly.pipeline(Mailbox(clock)))
    told: list[str] = []
    activator = Activator(
        assembly, pipelines, between, shelf, config,
        tell=lambda what, model, sentence: told.append(f"{what}: {sentence}"), clock=clock,
    )  # fmt: skip
    return House(shelf, assembly, pipelines, between, activator, clock, told, tmp_path)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[House]:
    made = house(tmp_path)
    yield made
    made.between.end()
    made.activator.close()
    made.assembly.close()


def activate(home: House, version: Version, role: str = SMILE) -> None:
    home.during_frames(lambda: home.activator.activate(role, version, who="test", why="to see"))


def test_a_version_plays_from_the_next_frame_on_and_after_a_restart(home: House) -> None:
    assert home.versions() == ["face-glance 0.1.0", "smile 0.1.0"]
    activate(home, admitted(home.shelf, home.here, "2.0.0"))
    assert home.versions() == ["face-glance 0.1.0", "smile 2.0.0"]
    with Assembly(load_config(None, {}, {}), shelf=home.shelf) as again:
        assert [model.version for model in again.models] == ["0.1.0", "2.0.0"]
    assert [each.result for each in home.shelf.history()] == ["activated"]


def test_another_classifier_plays_beside_the_first_and_a_detector_in_its_place(home: House) -> None:
    fields = json.loads((packaged_models() / "smile" / "manifest.json").read_text("utf-8"))  # type: ignore[operator]
    content = (packaged_models() / "smile" / "model.tflite").read_bytes()  # type: ignore[operator]
    described = json.dumps({**fields, "name": "grin"}).encode()
    (home.here / "manifest.json").write_bytes(described)
    manifest = read_manifest(home.here / "manifest.json")
    grin = home.shelf.admit(
        manifest,
        {"model.tflite": content, "manifest.json": described},
        Verdict(True, "fine", manifest.sha256),
    )
    activate(home, grin, "classifier/grin")
    assert home.versions() == ["face-glance 0.1.0", "smile 0.1.0", "grin 0.1.0"]
    activate(home, admitted(home.shelf, home.here, "3.0.0", model="face-glance"), "detector")
    assert home.versions() == ["face-glance 3.0.0", "smile 0.1.0", "grin 0.1.0"]
    home.during_frames(lambda: home.activator.roll_back("classifier/grin", who="t", why="enough"))
    assert home.versions() == ["face-glance 3.0.0", "smile 0.1.0"]


def test_what_cannot_be_put_in_leaves_the_old_one_playing(home: House) -> None:
    version = admitted(home.shelf, home.here, "2.0.0")
    file = home.shelf.folder(version) / "model.tflite"
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(ModelRejected):
        activate(home, version)
    assert home.versions() == ["face-glance 0.1.0", "smile 0.1.0"]
    assert "SHA-256" in home.shelf.history()[-1].result
    assert home.shelf.active(SMILE) is None
    with pytest.raises(ModelMissing, match="not on the shelf"):
        activate(home, Version("smile", "0" * 12))


def test_one_that_is_too_slow_in_its_first_minute_goes_back_at_once(home: House) -> None:
    activate(home, admitted(home.shelf, home.here, "2.0.0"))
    slow = replace(home.snapshot(), stage_ms={"classify": 99.0})
    for _ in range(FRAMES):
        home.activator.look(slow)
    assert home.versions() == ["face-glance 0.1.0", "smile 0.1.0"]
    home.activator.tend()
    assert home.shelf.active(SMILE) is None
    assert "classify took 99.0 ms" in home.shelf.history()[-1].why
    assert home.told[-1].startswith("rolled back: classify took 99.0 ms")


def test_one_that_fails_on_a_live_frame_goes_back_at_once(home: House) -> None:
    assert not home.activator.failed(ModelRejected("nobody is on probation"))
    activate(home, admitted(home.shelf, home.here, "2.0.0"))
    assert home.activator.failed(ModelRejected("no more"))
    assert home.versions() == ["face-glance 0.1.0", "smile 0.1.0"]


def test_after_its_first_minute_it_stays_and_the_old_one_is_closed(home: House) -> None:
    old = home.assembly.playing(SMILE)
    assert old is not None
    activate(home, admitted(home.shelf, home.here, "2.0.0"))
    home.clock.now = 61.0
    home.activator.look(replace(home.snapshot(), stage_ms={"classify": 99.0}))
    home.activator.tend()
    assert home.versions() == ["face-glance 0.1.0", "smile 2.0.0"]
    with pytest.raises(RuntimeError):
        old.engine.invoke()


def test_a_rollback_returns_to_the_version_before(home: House) -> None:
    first = admitted(home.shelf, home.here, "2.0.0")
    activate(home, first)
    activate(home, admitted(home.shelf, home.here, "3.0.0"))
    home.during_frames(lambda: home.activator.roll_back(SMILE, who="test", why="liked it better"))
    assert home.versions() == ["face-glance 0.1.0", "smile 2.0.0"]
    assert home.shelf.active(SMILE) == first


def test_a_candidate_is_compared_first_when_the_settings_say_so(tmp_path: Path) -> None:
    home = house(tmp_path, **{"models.canary_crops": 50})
    activate(home, admitted(home.shelf, home.here, "2.0.0"))
    assert home.versions() == ["face-glance 0.1.0", "smile 0.1.0"]
    assert home.told[-1].startswith("canary: ")
    home.clock.now = 61.0  # nobody came by
    home.during_frames(home.activator.tend)
    assert home.versions() == ["face-glance 0.1.0", "smile 0.1.0"]
    assert "too few to compare" in home.shelf.history()[-1].result
    home.between.end()
    home.activator.close()
    home.assembly.close()


def test_a_comparison_hears_the_faces_of_all_cameras(tmp_path: Path) -> None:
    home = house(tmp_path, **{"models.canary_crops": 1000, "classify.every_n_frames": 1})
    activate(home, admitted(home.shelf, home.here, "2.0.0"))
    heard = []
    for pipeline, seed in zip(home.pipelines, (7, 3), strict=True):
        seen = sum(len(pipeline.process(frame).faces) for frame in faces_of_the_demo(seed))
        comparison = home.activator.comparison()
        assert comparison is not None
        heard.append((seen, comparison[1].crops))
    (first, after_first), (second, after_both) = heard
    assert min(first, second) > 0
    assert (after_first, after_both) == (first, first + second)
    home.between.end()
    home.activator.close()
    home.assembly.close()


def test_an_exchange_lets_every_camera_keep_the_faces_it_follows(home: House) -> None:
    films = [faces_of_the_demo(seed) for seed in (7, 3)]
    before = [tracks(*each, frames=10) for each in zip(home.pipelines, films, strict=True)]
    assert all(before)
    activate_without_frames(home, admitted(home.shelf, home.here, "3.0.0", model="face-glance"))
    after = [tracks(*each, frames=3) for each in zip(home.pipelines, films, strict=True)]
    assert after == before


def tracks(pipeline: Pipeline, film: Iterator[Frame], frames: int) -> set[int]:
    """The faces in the last of the next frames."""
    last = [pipeline.process(frame) for frame in islice(film, frames)][-1]
    return {face.track for face in last.faces}


def activate_without_frames(home: House, version: Version) -> None:
    def call() -> None:
        home.activator.activate("detector", version, who="test", why="to see")

    during_frames(call, home.between.run_waiting)
