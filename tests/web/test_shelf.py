"""Models through the API: what is listed, taken in, refused, chosen and removed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from edge_runtime.errors import (
    EdgeRuntimeError,
    ExchangeFailed,
    ManifestIncomplete,
    ModelMissing,
    ModelRejected,
    ShelfUnwritable,
    TrialImpossible,
)
from tests.web.fake_counter import mood
from tests.web.guarded import Guarded
from tests.web.served import Served

LOOPBACK = "http://127.0.0.1:8000"


@pytest.fixture
def served() -> Served:
    return Served()


def test_every_model_is_listed_with_what_it_needs_here(served: Served) -> None:
    served.counter.kept.append(mood("0123456789ab"))
    answer = served.get("/api/v1/models").json()
    smile, other = answer["models"]
    assert (smile["state"], smile["role"]) == ("active", "classifier/smile")
    assert smile["measured"] is None
    assert other["measured"]["median_ms"] == 0.42
    assert (answer["comparison"], answer["largest_bytes"]) == (None, 1 << 20)


def test_history(served: Served) -> None:
    (made,) = served.get("/api/v1/models/history").json()["activations"]
    assert (made["model"], made["who"]) == ("mood/3f9c01d2a4be", "page")


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_an_upload_is_taken_in_under_its_name(served: Served, method: str) -> None:
    answer = served.request(method, "/api/v1/models?name=My%20Mood.zip", content=b"zip" * 99)
    assert answer.status_code == 201
    assert answer.json()["model"] == "mood/3f9c01d2a4be"
    (upload,) = served.counter.uploads
    assert (upload.name, upload.content) == ("My Mood.zip", b"zip" * 99)
    assert upload.closed


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (ModelRejected("it is cut short"), 422),
        (ManifestIncomplete("labels are missing", '{"labels": "?"}'), 422),
        (ModelMissing("there is none"), 404),
        (ExchangeFailed("no frame came"), 409),
        (ShelfUnwritable("the disk is full"), 507),
        (TrialImpossible("no process could be started"), 503),
    ],
)
def test_why_a_model_is_refused_is_one_sentence(
    served: Served, error: EdgeRuntimeError, status: int
) -> None:
    served.counter.error = error
    for method, path in (
        ("POST", "/api/v1/models?name=a.zip"),
        ("POST", "/api/v1/models/smile/activate"),
        ("POST", "/api/v1/models/smile/rollback"),
        ("DELETE", "/api/v1/models/smile/versions/0123456789ab"),
    ):
        answer = served.request(method, path)
        assert (answer.status_code, answer.json()["detail"]) == (status, str(error))
        assert answer.json().get("manifest") == getattr(error, "skeleton", None)
    assert served.counter.uploads[0].closed


def test_a_file_that_says_it_is_too_large_is_refused_before_it_is_read(served: Served) -> None:
    served.counter.largest_bytes = 10 << 20
    answer = served.request(
        "POST", "/api/v1/models?name=a.zip", headers={"content-length": str((10 << 20) + 1)}
    )
    assert answer.status_code == 413
    assert "10 MiB" in answer.json()["detail"]
    assert served.counter.uploads == []


def test_a_file_that_turns_out_too_large_is_refused_while_it_is_read(served: Served) -> None:
    sent = 0

    async def pieces() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(1000):
            sent += 1
            yield bytes(1 << 19)

    answer = served.request("POST", "/api/v1/models?name=a.zip", content=pieces())
    assert answer.status_code == 413
    (upload,) = served.counter.uploads
    assert upload.closed
    assert len(upload.content) <= served.counter.largest_bytes
    assert sent < 10


def test_an_upload_that_breaks_off_leaves_nothing_and_makes_room(served: Served) -> None:
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST",
        "scheme": "http", "path": "/api/v1/models", "raw_path": b"/api/v1/models", "root_path": "",
        "query_string": b"name=a.zip", "headers": [(b"host", b"127.0.0.1:8000")],
        "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 8000),
    }  # fmt: skip
    heard: Iterator[dict[str, object]] = iter(
        [
            {"type": "http.request", "body": b"half", "more_body": True},
            {"type": "http.disconnect"},
        ]
    )

    async def receive() -> dict[str, object]:
        return next(heard)

    async def send(_: object) -> None:
        """Nobody is there."""

    asyncio.run(served.app(scope, receive, send))
    (upload,) = served.counter.uploads
    assert (upload.content, upload.closed) == (b"half", True)
    assert served.request("POST", "/api/v1/models?name=b.zip").status_code == 201


def test_one_upload_at_a_time_and_the_rest_goes_on_meanwhile(served: Served) -> None:
    served.counter.goes_on.clear()

    async def both() -> tuple[httpx.Response, httpx.Response, httpx.Response]:
        transport = httpx.ASGITransport(served.app)
        async with httpx.AsyncClient(transport=transport, base_url=LOOPBACK) as client:
            first = asyncio.ensure_future(client.post("/api/v1/models?name=a.zip"))
            await asyncio.to_thread(served.counter.began.wait, 5)
            second = await client.post("/api/v1/models?name=b.zip")
            status = await client.get("/api/v1/status")
            served.counter.goes_on.set()
            return await first, second, status

    first, second, status = asyncio.run(both())
    assert (first.status_code, second.status_code, status.status_code) == (201, 503, 200)
    assert "retry-after" in second.headers


def test_a_file_without_a_name_and_a_form_are_told_how(served: Served) -> None:
    assert "?name=" in served.request("POST", "/api/v1/models").json()["detail"]
    form = served.request("POST", "/api/v1/models?name=a.zip", files={"file": b"zip"})
    assert (form.status_code, "curl" in form.json()["detail"]) == (415, True)


@pytest.mark.parametrize("name", ["mood", "classifier/mood"])
def test_a_version_is_activated_by_name_or_role(served: Served, name: str) -> None:
    served.counter.kept.append(mood("0123456789ab"))
    path = f"/api/v1/models/{name}/activate"
    assert served.request("POST", path, json={"version": "0123456789ab"}).status_code == 200
    assert served.counter.asked == [(name, "0123456789ab")]
    assert served.get("/api/v1/models").json()["models"][1]["state"] == "active"


def test_a_body_that_is_no_choice_is_refused_in_one_sentence(served: Served) -> None:
    answer = served.request("POST", "/api/v1/models/mood/activate", json={"version": 7})
    assert answer.status_code == 422
    assert "version" in answer.json()["detail"]


def test_roll_back_and_remove(served: Served) -> None:
    served.counter.kept.append(mood("0123456789ab"))
    back = served.request("POST", "/api/v1/models/classifier/mood/rollback")
    assert back.json()["detail"] == "classifier/mood is rolled back"
    gone = served.request("DELETE", "/api/v1/models/mood/versions/0123456789ab")
    assert gone.status_code == 200
    assert served.counter.asked[-1] == ("mood", "0123456789ab")
    assert len(served.get("/api/v1/models").json()["models"]) == 1


CHANGES = [
    ("POST", "/api/v1/models?name=a.zip"),
    ("POST", "/api/v1/models/smile/activate"),
    ("POST", "/api/v1/models/smile/rollback"),
    ("DELETE", "/api/v1/models/smile/versions/0123456789ab"),
]


@pytest.mark.parametrize(("method", "path"), CHANGES)
@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:9000"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"},
    ],
)
def test_pages_of_other_sites_change_nothing(
    served: Served, method: str, path: str, headers: dict[str, str]
) -> None:
    assert served.request(method, path, headers=headers).status_code == 403
    assert served.counter.uploads == []
    assert served.counter.asked == []


def test_the_own_page_may(served: Served) -> None:
    headers = {"origin": LOOPBACK, "sec-fetch-site": "same-origin"}
    assert served.request(*CHANGES[0], headers=headers).status_code == 201


@pytest.mark.parametrize(("method", "path"), CHANGES)
def test_elsewhere_nothing_is_changed_without_the_token(
    tmp_path: Path, method: str, path: str
) -> None:
    served = Guarded(tmp_path)
    assert served.ask(path, method=method).status_code == 401
    assert served.counter.uploads == []
    assert served.counter.asked == []
    assert served.ask(path, served.token, method=method).status_code != 401


def test_what_became_of_models_is_counted(served: Served) -> None:
    served.status.fates = {"refused": 3, "rolled back": 1}
    found = {
        sample.labels["what"]: sample.value
        for family in text_string_to_metric_families(served.get("/metrics").text)
        for sample in family.samples
        if sample.name == "edge_runtime_model_events_total"
    }
    assert (found["refused"], found["rolled_back"], found["admitted"]) == (3, 1, 0)
    assert served.get("/api/v1/status").json()["model_events"] == 4
