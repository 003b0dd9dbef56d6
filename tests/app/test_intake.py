"""What is dropped is admitted and active, or refused with a reason; the frames go on."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_runtime.app.assembly import Assembly
from edge_runtime.app.intake import drops_folder, open_shelf
from edge_runtime.app.status import CameraStatus, Status
from edge_runtime.app.supply import Supply
from edge_runtime.config import Config, load_config
from edge_runtime.errors import ModelRejected, ShelfUnwritable
from edge_runtime.mailbox import Mailbox
from edge_runtime.pipeline import Pipeline
from edge_runtime.store.arrival.listing import look
from edge_runtime.store.arrival.watch import Arrival
from edge_runtime.store.catalogue import packaged_models
from edge_runtime.store.shelf.shelf import Shelf
from edge_runtime.types import ModelInUse
from tests.app.test_activator import during_frames
from tests.white_faces import frame_with

SMILE = (packaged_models() or Path()) / "smile" / "model.tflite"


class Home:
    """A runtime's supply without its threads: the test hands arrivals in itself."""

    def __init__(self, tmp_path: Path, **settings: object) -> None:
        self.config: Config = load_config(None, {}, {"state_dir": str(tmp_path)} | settings)
        self.drops = drops_folder(self.config)
        self.drops.mkdir(parents=True)
        self.shelf = open_shelf(self.config)
        self.assembly = Assembly(self.config, shelf=self.shelf)
        self.status = Status(CameraStatus("camera", "demo://"))
        self.pipeline: Pipeline = self.assembly.pipeline(Mailbox())
        self.supply = Supply(self.config, self.shelf, self.assembly, [self.pipeline], self.status)

    def drop(self, name: str, content: bytes, labels: str | None = None) -> None:
        """Copy a file into the folder and let it arrive while frames are processed."""
        path = self.drops / name
        path.write_bytes(content)
        beside = None
        if labels is not None:
            beside = path.with_suffix(".txt")
            beside.write_text(labels)
        arrival = Arrival(path, beside, look(self.drops)[name])
        during_frames(
            lambda: self.supply.intake.receive(arrival), self.supply.between_frames, self.frame
        )

    def frame(self) -> tuple[ModelInUse, ...]:
        return self.pipeline.process(frame_with(None)).models

    def active(self) -> list[str]:
        return [model.name for model in self.frame()]

    def told(self) -> list[str]:
        return [event.what for event in self.status.model_events()]

    def close(self) -> None:
        self.supply.close()
        self.assembly.close()


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    made = Home(tmp_path)
    yield made
    made.close()


def test_a_model_with_its_labels_is_active_and_the_drop_is_gone(home: Home) -> None:
    home.drop("mood.tflite", SMILE.read_bytes(), "calm\nhappy\n")
    assert home.active() == ["face-glance", "smile", "mood"]
    assert home.told() == ["admitted", "activated"]
    assert sorted(path.name for path in home.drops.iterdir()) == ["admitted"]
    assert home.shelf.history()[-1].who == "drop"


def test_an_export_of_teachable_machine_needs_no_manifest(home: Home, tmp_path: Path) -> None:
    export = tmp_path / "converted_tflite_quantized.zip"
    with zipfile.ZipFile(export, "w") as archive:
        archive.write(SMILE, "model.tflite")
        archive.writestr("labels.txt", "0 Class A\n1 Class B\n")
    home.drop("gesture.zip", export.read_bytes())
    playing = home.assembly.playing("classifier/gesture")
    assert playing is not None
    assert playing.model.manifest.labels == ("Class A", "Class B")


def test_a_broken_file_is_moved_aside_with_the_reason(home: Home) -> None:
    home.drop("bad.tflite", SMILE.read_bytes()[:9000])
    assert home.active() == ["face-glance", "smile"]
    rejected = home.drops / "rejected"
    assert sorted(path.name for path in rejected.iterdir()) == [
        "bad.tflite",
        "bad.tflite.reason.txt",
    ]
    assert "damaged or cut short" in (rejected / "bad.tflite.reason.txt").read_text("utf-8")
    assert home.told() == ["refused"]


def test_what_must_be_said_by_a_person_is_asked_for_with_a_form_to_fill_in(home: Home) -> None:
    home.drop("mood.tflite", SMILE.read_bytes())
    reason = (home.drops / "rejected" / "mood.tflite.reason.txt").read_text("utf-8")
    assert "labels" in reason
    assert '"labels": "?"' in reason


def test_without_auto_activate_it_waits_on_the_shelf(tmp_path: Path) -> None:
    home = Home(tmp_path, **{"models.auto_activate": False})
    home.drop("mood.tflite", SMILE.read_bytes(), "calm\nhappy\n")
    assert home.active() == ["face-glance", "smile"]
    assert home.shelf.names() == ("mood",)
    home.close()


def test_what_the_command_line_chose_is_followed(home: Home) -> None:
    home.drop("mood.tflite", SMILE.read_bytes(), "calm\nhappy\n")
    other = open_shelf(home.config)
    other.roll_back("classifier/mood", who="command line", why="enough")
    during_frames(home.supply.intake.look_around, home.supply.between_frames, home.frame)
    assert home.active() == ["face-glance", "smile"]


def test_a_choice_that_cannot_be_read_any_more_is_undone(home: Home) -> None:
    home.drop("mood.tflite", SMILE.read_bytes(), "calm\nhappy\n")
    version = home.shelf.active("classifier/mood")
    assert version is not None
    home.shelf.roll_back("classifier/mood", who="test", why="")
    during_frames(home.supply.intake.look_around, home.supply.between_frames, home.frame)
    home.shelf.activate("classifier/mood", version, who="command line", why="again")
    shutil.copy(SMILE.parents[1] / "face-glance" / "model.tflite", home.shelf.folder(version))
    during_frames(home.supply.intake.look_around, home.supply.between_frames, home.frame)
    assert home.active() == ["face-glance", "smile"]
    assert home.shelf.active("classifier/mood") is None
    assert home.told()[-1] == "refused"


def test_a_version_that_somebody_removes_by_hand_makes_room_for_the_one_before(home: Home) -> None:
    home.drop("mood.tflite", SMILE.read_bytes(), "calm\nhappy\n")
    version = home.shelf.active("classifier/mood")
    assert version is not None
    shutil.rmtree(home.shelf.folder(version))
    assert home.active() == ["face-glance", "smile", "mood"]  # it runs from memory
    during_frames(home.supply.intake.look_around, home.supply.between_frames, home.frame)
    assert home.active() == ["face-glance", "smile"]


def full_disk(*_: object, **__: object) -> None:
    raise ShelfUnwritable("the disk is full")


def test_a_disk_that_fills_up_stops_no_thread(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Shelf, "activate", full_disk)
    home.drop("mood.tflite", SMILE.read_bytes(), "calm\nhappy\n")
    assert home.shelf.names() == ("mood",)
    during_frames(home.supply.intake.look_around, home.supply.between_frames, home.frame)
    assert home.active() == ["face-glance", "smile"]  # what is not written down does not stay


def test_a_failed_model_stays_out_while_that_cannot_be_written_down(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.drop("mood.tflite", SMILE.read_bytes(), "calm\nhappy\n")
    assert home.supply.failed(ModelRejected("it broke"))
    with monkeypatch.context() as full:
        full.setattr(Shelf, "roll_back", full_disk)
        during_frames(home.supply.intake.look_around, home.supply.between_frames, home.frame)
        assert home.active() == ["face-glance", "smile"]
    during_frames(home.supply.intake.look_around, home.supply.between_frames, home.frame)
    assert home.active() == ["face-glance", "smile"]
    assert home.shelf.history()[-1].who == "probation"
