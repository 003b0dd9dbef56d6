"""The client against the real service on a real port."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest

from edge_runtime import jpeg
from edge_runtime.client import Client
from edge_runtime.client import client as client_module
from edge_runtime.errors import ManifestIncomplete, ServiceRefused, ServiceUnreachable
from tests.web.conftest import LiveService
from tests.web.fake_counter import mood
from tests.web.fake_status import LOST

TOKEN = "ert_" + "t" * 28


@pytest.fixture
def live(tmp_path: Path) -> Iterator[LiveService]:
    with LiveService(tmp_path) as service:
        yield service


@pytest.fixture
def client(live: LiveService) -> Client:
    return Client(live.url)


def test_the_status_is_typed(client: Client) -> None:
    status = client.status()
    assert status.machine is not None
    assert status.machine.temperature_c == 54.2
    assert status.cameras[0].name == "camera"


def test_the_same_status_is_not_sent_twice(live: LiveService, client: Client) -> None:
    live.flowing = False
    live.status.last = None
    live.wait_for(lambda: client.status() is client.status(), "it is sent again and again")
    live.status.where = LOST
    assert client.status().state.level == "act"


def test_live_statuses_come_as_they_change(live: LiveService, client: Client) -> None:
    statuses = list(islice(client.live(), 5))
    numbers = [status.frame.number for status in statuses if status.frame is not None]
    assert numbers == sorted(numbers)
    assert len(set(numbers)) >= 3
    # What did not change is there as well.
    assert statuses[-1].machine == statuses[0].machine


def test_live_goes_on_where_the_line_broke(live: LiveService, client: Client) -> None:
    statuses = client.live()
    next(iter(statuses))
    assert statuses.retry_s == 3.0
    known = statuses._last_id
    assert known
    next(iter(statuses))
    assert statuses._last_id > known


def test_the_end_of_the_service_is_an_error_that_may_pass(
    live: LiveService, client: Client
) -> None:
    following = iter(client.live())
    next(following)
    live.stop()
    with pytest.raises(ServiceUnreachable):
        list(following)
    with pytest.raises(ServiceUnreachable, match=r"nothing listens at|cannot be reached|broke off"):
        client.status()


def test_probes_and_metrics(live: LiveService, client: Client) -> None:
    assert client.alive().alive
    live.wait_for(lambda: client.ready().ready, "frames do not flow")
    assert "edge_runtime_build_info" in client.metrics()
    live.flowing = False
    live.status.where = LOST
    assert client.ready().reason == client.status().state.sentence


def test_a_picture(client: Client) -> None:
    assert jpeg.size(client.snapshot()) == (640, 480)
    with pytest.raises(ServiceRefused, match="There is no camera 'yard'") as refused:
        client.snapshot("yard")
    assert refused.value.status == 404


def test_models_are_listed_and_exchanged(live: LiveService, client: Client, tmp_path: Path) -> None:
    live.counter.kept.append(mood("0123456789ab"))
    assert [each.name for each in client.models().models] == ["smile", "mood"]
    assert client.activations().activations[0].who == "page"
    assert client.activate("mood", "0123456789ab").detail == "mood is active"
    assert client.roll_back("classifier/mood").model == "classifier/mood/0123456789ab"
    client.remove("mood", "0123456789ab")
    file = tmp_path / "My Mood.zip"
    file.write_bytes(b"zip" * 99_999)
    assert client.upload(file).model == "mood/3f9c01d2a4be"
    sent = live.counter.uploads[-1]
    assert (sent.name, sent.content) == ("My Mood.zip", file.read_bytes())


def test_events_come_page_by_page(
    live: LiveService, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_module, "EVENTS_A_PAGE", 3)
    assert list(client.events()) == []
    for track in range(8):
        live.status.log.tell("face_came", "A face came", camera="camera", track=track)
    found = list(client.events())
    assert [each.track for each in found] == list(range(8))
    assert list(client.events(after=found[5].id)) == found[6:]


def test_rules_and_figures(client: Client) -> None:
    assert client.rules().rules == ()
    assert client.figures("day").span == "day"


def test_a_refusal_says_what_the_runtime_says(live: LiveService, client: Client) -> None:
    with pytest.raises(ServiceRefused, match="gone is not on the shelf") as refused:
        client.activate("gone")
    assert (refused.value.status, refused.value.exit_code) == (404, 9)


def test_what_an_upload_lacks_comes_with_the_refusal(
    live: LiveService, client: Client, tmp_path: Path
) -> None:
    (tmp_path / "mood.zip").write_bytes(b"zip")
    live.counter.error = ManifestIncomplete("labels are missing", '{"labels": "?"}')
    with pytest.raises(ServiceRefused, match="labels are missing") as refused:
        client.upload(tmp_path / "mood.zip")
    assert refused.value.manifest == '{"labels": "?"}'


def test_the_token_is_sent(tmp_path: Path) -> None:
    with LiveService(tmp_path, token=TOKEN) as guarded:
        for known in (
            Client(guarded.url, token=f" {TOKEN}\n"),
            Client(f"{guarded.url}login#{TOKEN}"),
        ):
            assert known.status().version
            assert TOKEN not in known.url
        with pytest.raises(ServiceRefused, match="token") as refused:
            Client(guarded.url).status()
        assert refused.value.status == 401
