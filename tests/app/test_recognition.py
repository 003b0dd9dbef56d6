"""Enrolling and recognizing with the models that are shipped, on the demo's photographs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import pytest
from skimage import data

from edge_runtime.app.assembly import Assembly
from edge_runtime.app.enroller import Enroller
from edge_runtime.app.recognition import Recognition
from edge_runtime.capture.glance import glance_of_bgr
from edge_runtime.capture.picture import BgrPicture
from edge_runtime.config import Config, load_config
from edge_runtime.errors import EnrolmentRefused, TemplatesInvalid
from edge_runtime.mailbox import Mailbox
from edge_runtime.people.register import FILE
from edge_runtime.types import Frame, Snapshot


@pytest.fixture(scope="module")
def astronaut() -> np.ndarray:
    """A photograph that is in the public domain, in BGR."""
    return np.ascontiguousarray(data.astronaut()[..., ::-1])


def config(folder: Path, **more: object) -> Config:
    said = {"state_dir": str(folder), "people.enabled": True, "classify.models": []}
    return load_config(None, {}, said | more)


def saved(folder: Path, picture: np.ndarray) -> list[Path]:
    """The photograph as it is, darker, mirrored and smaller."""
    versions = {
        "plain": picture,
        "dark": (picture * 0.6).astype(np.uint8),
        "mirrored": picture[:, ::-1],
        "small": cv2.resize(picture, None, fx=0.7, fy=0.7, interpolation=cv2.INTER_AREA),
    }
    for name, version in versions.items():
        cv2.imwrite(str(folder / f"{name}.png"), version)
    return [folder / f"{name}.png" for name in versions]


def frames(picture: np.ndarray, count: int) -> Iterator[Frame]:
    for index in range(count):
        yield Frame(index, index / 30, glance_of_bgr(picture), BgrPicture(picture))


def looked_at(settings: Config, shown: Iterator[Frame]) -> Snapshot:
    with Assembly(settings) as assembly:
        pipeline = assembly.pipeline(Mailbox(), motion_threshold=0.0)
        with Recognition(settings, assembly.lineup, [pipeline], lambda call: call()):
            snapshots = [pipeline.process(frame) for frame in shown]
    return snapshots[-1]


def names(snapshot: Snapshot) -> list[str]:
    return [face.identity.name or face.identity.verdict for face in snapshot.faces if face.identity]


def test_who_was_enrolled_from_pictures_is_known_and_others_are_not(
    tmp_path: Path, astronaut: np.ndarray
) -> None:
    settings = config(tmp_path)
    said: list[str] = []
    with Enroller(settings) as enroller:
        enrolment = enroller.from_files("Eileen", saved(tmp_path, astronaut), said.append)
        person = enroller.keep("Eileen", enrolment)
    assert len(person.templates) >= 2
    known = looked_at(settings, frames(astronaut, 20))
    assert names(known) == ["Eileen"]
    assert {"face-points", "face-id"} <= {each.name for each in known.models}
    face = known.faces[0].box
    stranger = astronaut.copy()
    x, y, w, h = (round(side) for side in face)
    # Her face stretched and turned upside down within its outline is nobody's.
    stranger[y : y + h, x : x + w] = stranger[y : y + h, x : x + w][::-1]
    assert "Eileen" not in names(looked_at(settings, frames(stranger, 20)))


def test_the_same_face_is_not_enrolled_under_two_names(
    tmp_path: Path, astronaut: np.ndarray
) -> None:
    pictures = saved(tmp_path, astronaut)
    with Enroller(config(tmp_path)) as enroller:
        enrolment = enroller.from_files("Eileen", pictures, print)
        enroller.keep("Eileen", enrolment)
        with pytest.raises(EnrolmentRefused, match="this is the face of Eileen"):
            enroller.keep("Mallory", enrolment)
        enroller.keep("Mallory", enrolment, force=True)
        assert [each.name for each in enroller.register.people()] == ["Eileen", "Mallory"]


def test_a_picture_without_a_face_says_so_and_enrols_nobody(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "wall.png"), np.full((240, 320, 3), 90, np.uint8))
    said: list[str] = []
    with Enroller(config(tmp_path)) as enroller:
        enrolment = enroller.from_files("Nobody", [tmp_path / "wall.png"], said.append)
        with pytest.raises(EnrolmentRefused, match="nothing was seen of Nobody"):
            enroller.keep("Nobody", enrolment)
    assert said == [f"{tmp_path}/wall.png: no face was found in it, or several of the same size"]
    assert not (tmp_path / FILE).exists()


def test_a_running_recognition_follows_the_file_and_keeps_whom_it_knew_when_it_is_damaged(
    tmp_path: Path, astronaut: np.ndarray, caplog: pytest.LogCaptureFixture
) -> None:
    settings = config(tmp_path)
    with Assembly(settings) as assembly:
        pipeline = assembly.pipeline(Mailbox(), motion_threshold=0.0)
        with Recognition(settings, assembly.lineup, [pipeline], lambda call: call()) as recognition:
            before = [pipeline.process(frame) for frame in frames(astronaut, 10)]
            assert names(before[-1]) == ["unknown"]
            with Enroller(settings) as enroller:
                enrolment = enroller.from_files("Eileen", saved(tmp_path, astronaut), print)
                enroller.keep("Eileen", enrolment)
            recognition.bring_up_to_date()
            after = [pipeline.process(frame) for frame in islice(frames(astronaut, 40), 10, 40)]
            assert names(after[-1]) == ["Eileen"]
            (tmp_path / FILE).write_bytes(b"edge-runtime people 9 sealed\n")
            os.utime(tmp_path / FILE, ns=(1, 1))
            recognition.bring_up_to_date()
            later = [pipeline.process(frame) for frame in islice(frames(astronaut, 50), 40, 50)]
            assert names(later[-1]) == ["Eileen"]
            assert "whoever was known stays so" in caplog.text
            with pytest.raises(TemplatesInvalid, match="version 9"):
                recognition.register.people()


def test_without_recognition_a_face_has_no_identity(astronaut: np.ndarray, tmp_path: Path) -> None:
    with Assembly(config(tmp_path)) as assembly:
        pipeline = assembly.pipeline(Mailbox(), motion_threshold=0.0)
        snapshots = [pipeline.process(frame) for frame in frames(astronaut, 3)]
    assert snapshots[-1].faces[0].identity is None
