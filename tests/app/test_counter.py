"""Models through the real API, desk, trial, shelf and pipeline."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from edge_runtime.app.counter import UPLOADS
from edge_runtime.web.door import open_door
from edge_runtime.web.preview import Preview
from edge_runtime.web.previews import Previews
from edge_runtime.web.service import create_app
from edge_runtime.web.streams import Streams
from tests.app.test_activator import during_frames
from tests.app.test_intake import SMILE, Home
from tests.web.fake_doctor import FakeDoctor
from tests.web.served import ask


class Office(Home):
    """A runtime's supply with the page's API in front of it."""

    def __init__(self, tmp_path: Path, **settings: object) -> None:
        super().__init__(tmp_path, **settings)
        door = open_door("127.0.0.1", state_dir=tmp_path, hostname="pi")
        self.app = create_app(
            self.status,
            Previews({"camera": Preview()}),
            door,
            counter=self.supply.counter,
            examine=FakeDoctor(),
            streams=Streams(),
        )

    def request(self, method: str, path: str, **more: Any) -> httpx.Response:
        """While frames are processed."""
        answers: list[httpx.Response] = []
        during_frames(
            lambda: answers.append(ask(self.app, method, path, **more)),
            self.supply.between_frames,
            self.frame,
        )
        return answers[0]

    def upload(self, name: str, content: bytes) -> httpx.Response:
        return self.request("POST", f"/api/v1/models?name={name}", content=content)

    def states(self) -> dict[str, str]:
        models = self.request("GET", "/api/v1/models").json()["models"]
        return {f"{each['name']}/{each['version']}": each["state"] for each in models}


def at(model: str) -> str:
    """Where ``name/version`` lies below the models."""
    return model.replace("/", "/versions/")


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = Office(tmp_path)
    yield made
    made.close()


def export(*labels: str) -> bytes:
    """A zip as Teachable Machine makes it."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.write(SMILE, "model.tflite")
        archive.writestr("labels.txt", "".join(f"{i} {label}\n" for i, label in enumerate(labels)))
    return packed.getvalue()


def test_an_uploaded_export_is_active_then_rolled_back_and_removed(office: Office) -> None:
    first = office.upload("mood.zip", export("calm", "happy"))
    assert first.status_code == 201, first.text
    assert first.json()["detail"] == f"{first.json()['model']} is active as classifier/mood"
    assert office.active() == ["face-glance", "smile", "mood"]
    second = office.upload("mood.zip", export("sad", "happy")).json()["model"]
    one = first.json()["model"]
    states = office.states()
    assert (states[one], states[second]) == ("before", "active")
    assert (states["smile/shipped"], states["mask/shipped"]) == ("active", "kept")

    refused = office.request("DELETE", f"/api/v1/models/{at(second)}")
    assert (refused.status_code, "active" in refused.json()["detail"]) == (422, True)
    back = office.request("POST", "/api/v1/models/mood/rollback")
    assert back.json() == {"detail": f"{one} is active as classifier/mood", "model": one}
    assert office.request("DELETE", f"/api/v1/models/{at(second)}").status_code == 200
    assert second not in office.states()
    made = office.request("GET", "/api/v1/models/history").json()["activations"]
    assert [each["result"] for each in made] == ["activated", "activated", "rolled back"]
    assert {each["who"] for each in made} == {"page"}
    assert office.told()[-2:] == ["rolled back", "removed"]
    assert not (office.drops / UPLOADS).exists()


def test_the_listing_says_what_the_trial_measured_here(office: Office) -> None:
    office.upload("mood.zip", export("calm", "happy"))
    mood = office.request("GET", "/api/v1/models").json()["models"][0]
    assert mood["name"] == "mood"
    assert mood["measured"]["median_ms"] > 0
    assert mood["bytes"] == SMILE.stat().st_size
    assert mood["role"] == "classifier/mood"
    assert mood["active_since"] >= mood["admitted_at"] > 1.6e9


def test_a_broken_file_is_refused_and_nothing_of_it_is_kept(office: Office) -> None:
    answer = office.upload("bad.tflite", SMILE.read_bytes()[:9000])
    assert answer.status_code == 422
    assert "damaged or cut short" in answer.json()["detail"]
    assert office.active() == ["face-glance", "smile"]
    assert office.told() == ["refused"]
    assert not (office.drops / UPLOADS).exists()


def test_what_is_missing_is_asked_for_with_a_form(office: Office) -> None:
    answer = office.upload("mood.tflite", SMILE.read_bytes())
    assert answer.status_code == 422
    assert '"labels": "?"' in answer.json()["manifest"]


@pytest.mark.parametrize("name", ["../mood.zip", ".mood.zip", "mood.zip.part", "/etc/mood.zip"])
def test_a_name_that_leads_elsewhere_is_refused(office: Office, name: str) -> None:
    answer = office.upload(name, export("calm", "happy"))
    assert (answer.status_code, "cannot be called" in answer.json()["detail"]) == (422, True)
    assert office.shelf.names() == ()


def test_another_version_and_the_shipped_one_can_be_chosen(tmp_path: Path) -> None:
    office = Office(tmp_path, **{"models.auto_activate": False})
    uploaded = office.upload("smile.zip", export("neutral", "smile")).json()
    digits = uploaded["model"].partition("/")[2]
    assert uploaded["detail"] == f"smile/{digits} is on the shelf"
    chosen = {"json": {"version": digits}}
    answer = office.request("POST", "/api/v1/models/classifier/smile/activate", **chosen)
    assert answer.status_code == 200
    assert office.states() | {"smile/shipped": "kept", f"smile/{digits}": "active"} == (
        office.states()
    )
    office.request("POST", "/api/v1/models/smile/activate", json={"version": "shipped"})
    assert office.states()["smile/shipped"] == "active"
    missing = office.request("POST", "/api/v1/models/smile/activate", json={"version": "0000"})
    assert missing.status_code == 404
    assert office.request("POST", "/api/v1/models/mask/rollback").status_code == 404
    office.close()


def test_without_frames_nothing_is_exchanged(office: Office) -> None:
    office.supply.close()
    answer = office.request("POST", "/api/v1/models/mask/activate")
    assert answer.status_code == 409


def test_a_folder_that_cannot_be_written_is_said(office: Office) -> None:
    (office.drops / UPLOADS).write_text("in the way")
    answer = office.upload("mood.zip", export("calm", "happy"))
    assert answer.status_code == 507
