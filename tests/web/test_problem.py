"""Every error is a problem of RFC 9457, whoever raises it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest

from edge_runtime.errors import ManifestIncomplete
from tests.web.guarded import Guarded
from tests.web.served import Served


def told(answer: httpx.Response, status: int) -> dict[str, Any]:
    """What a problem says, once it is known to be one."""
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    said: dict[str, Any] = answer.json()
    assert said["type"] == "about:blank"
    assert said["status"] == status
    assert None not in said.values()
    return said


def test_an_address_that_is_not_there() -> None:
    said = told(Served().get("/api/v1/stats"), 404)
    assert said["title"] == "Not Found"
    assert said["detail"] == "There is no /api/v1/stats here: /docs lists what there is."


def test_no_address_is_left_of_before_there_were_versions() -> None:
    for path in ("/api/status", "/api/live", "/api/models", "/stream.mjpg", "/snapshot.jpg"):
        told(Served().get(path), 404)


def test_a_method_that_is_not_taken() -> None:
    answer = Served().request("DELETE", "/api/v1/status")
    said = told(answer, 405)
    assert said["detail"].startswith("/api/v1/status does not take DELETE")
    assert answer.headers["allow"] == "GET"
    several = Served().request("DELETE", "/api/v1/models")
    assert several.headers["allow"] == "GET, POST, PUT"


def test_a_body_that_cannot_be_read() -> None:
    path = "/api/v1/models/mood/activate"
    said = told(Served().request("POST", path, json={"version": 7}), 422)
    assert "body.version" in said["detail"]


def test_a_refusal_of_ours() -> None:
    said = told(Served().get("/api/v1/snapshot.jpg?camera=yard"), 404)
    assert "'yard'" in said["detail"]


def test_a_model_that_lacks_words_brings_the_form() -> None:
    served = Served()
    served.counter.error = ManifestIncomplete("mood needs a manifest", '{"kind": "?"}')
    said = told(served.request("POST", "/api/v1/models?name=mood.zip", content=b"zip"), 422)
    assert (said["detail"], said["manifest"]) == ("mood needs a manifest", '{"kind": "?"}')


def test_whom_the_door_refuses(tmp_path: Path) -> None:
    told(Guarded(tmp_path).ask("/api/v1/status"), 401)
    told(Served().get("/api/v1/status", headers={"host": "evil.example"}), 421)


def test_a_mistake_of_ours_tells_nothing_of_the_inside(monkeypatch: pytest.MonkeyPatch) -> None:
    served = Served()

    def broken() -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr(served.status, "cameras", broken)

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(served.app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            return await client.get("/api/v1/status")

    answer = asyncio.run(ask())
    assert "journalctl" in told(answer, 500)["detail"]
    assert "secret" not in answer.text
