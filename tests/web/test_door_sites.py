"""The door: what pages of other sites may not do, and what browsers are told."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from edge_runtime.web.assets import load_assets
from tests.web.guarded import AT, Guarded
from tests.web.served import Served

OWN = "http://127.0.0.1:8000"
CHANGE = ("POST", "/api/v1/models?name=a.zip")
ELSEWHERE = [
    {"origin": "http://evil.example"},
    {"origin": "null"},
    {"origin": "http://127.0.0.1:9000"},
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
    {"origin": OWN, "sec-fetch-site": "cross-site"},
]


@pytest.mark.parametrize("headers", ELSEWHERE)
def test_another_sites_page_changes_nothing(headers: dict[str, str]) -> None:
    served = Served()
    assert served.request(*CHANGE, headers=headers).status_code == 403
    assert served.counter.uploads == []


@pytest.mark.parametrize("headers", ELSEWHERE[:4])
def test_another_sites_page_logs_nobody_in(tmp_path: Path, headers: dict[str, str]) -> None:
    served = Guarded(tmp_path)
    answer = served.request(
        "POST", "/login", base=AT, headers=headers, data={"token": served.token}
    )
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    "headers", [{}, {"origin": OWN}, {"origin": OWN, "sec-fetch-site": "same-origin"}]
)
def test_the_own_page_and_programs_may(headers: dict[str, str]) -> None:
    assert Served().request(*CHANGE, headers=headers).status_code == 201


def test_another_sites_page_cannot_show_the_stream() -> None:
    served = Served()
    embedded = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"}
    assert served.get("/api/v1/stream.mjpg", headers=embedded).status_code == 403
    linked = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
    assert served.get("/", headers=linked).status_code == 200


def test_no_site_is_invited_unless_the_settings_say_so() -> None:
    served = Served()
    headers = {"origin": "https://a.example"}
    assert (
        "access-control-allow-origin" not in served.get("/api/v1/status", headers=headers).headers
    )
    asked = {**headers, "access-control-request-method": "GET"}
    assert (
        "access-control-allow-origin"
        not in served.request("OPTIONS", "/api/v1/status", headers=asked).headers
    )


def test_an_invited_site_sends_a_token_and_no_cookie(tmp_path: Path) -> None:
    served = Guarded(tmp_path, origins=["https://A.example"])
    headers = {"origin": "https://a.example", "sec-fetch-site": "cross-site"}
    preflight = served.ask(
        "/api/v1/status",
        method="OPTIONS",
        headers={
            **headers,
            "access-control-request-method": "GET",
            "access-control-request-headers": "authorization",
        },
    )
    assert preflight.status_code == 200
    answer = served.ask("/api/v1/status", served.token, headers=headers)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "https://a.example"
    assert "access-control-allow-credentials" not in answer.headers
    uninvited = {"origin": "https://b.example", "sec-fetch-site": "cross-site"}
    assert served.ask("/api/v1/status", served.token, headers=uninvited).status_code == 403


def answers(tmp_path: Path) -> list[tuple[str, dict[str, str]]]:
    open_, closed = Served(), Guarded(tmp_path)
    paths = ("/", "/docs", "/api/v1/status", "/metrics", "/openapi.json", "/nothing", "/login")
    found = [(path, dict(open_.get(path).headers)) for path in (*paths, "/static/page.js")]
    found += [(f"closed {path}", dict(closed.ask(path).headers)) for path in paths]
    found.append(("a wrong host", dict(open_.get("/", headers={"host": "evil"}).headers)))
    found.append(("another site", dict(open_.request(*CHANGE, headers=ELSEWHERE[0]).headers)))
    return found


def test_every_answer_tells_browsers_to_be_careful(tmp_path: Path) -> None:
    for path, headers in answers(tmp_path):
        policy = dict(
            part.strip().partition(" ")[::2]
            for part in headers["content-security-policy"].split(";")
        )
        assert policy["default-src"] == "'none'", path
        assert policy["frame-ancestors"] == "'none'", path
        assert policy["base-uri"] == "'none'", path
        assert policy["form-action"] == "'self'", path
        assert policy["script-src"] == "'self'", path
        assert "unsafe" not in headers["content-security-policy"], path
        assert headers["x-content-type-options"] == "nosniff", path
        assert headers["x-frame-options"] == "DENY", path
        assert headers["referrer-policy"] == "same-origin", path
        assert headers["cross-origin-resource-policy"] == "same-origin", path
        assert headers["cross-origin-opener-policy"] == "same-origin", path
        assert "cache-control" in headers, path
        assert "server" not in headers, path
        assert "x-powered-by" not in headers, path


def test_a_mistake_of_ours_is_answered_as_carefully(monkeypatch: pytest.MonkeyPatch) -> None:
    import asyncio

    import httpx

    served = Served()
    monkeypatch.setattr(served.status, "cameras", lambda: 1 / 0)

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(served.app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url=OWN) as client:
            return await client.get("/api/v1/status")

    answer = asyncio.run(ask())
    assert answer.status_code == 500
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert "Traceback" not in answer.text
    assert "ZeroDivision" not in answer.text


def test_no_page_has_a_script_or_style_of_its_own() -> None:
    pages = [asset for name, asset in load_assets().items() if name.endswith(".html")]
    assert len(pages) >= 3
    for page in pages:
        assert re.search(r"<script(?![^>]*\bsrc=)", page.text) is None, page.name
        assert "<style" not in page.text, page.name
        assert re.search(r"<[^>]+\s(style|on[a-z]+)=", page.text) is None, page.name
        assert re.search(r"(?:src|href)=\"(?:https?:)?//", page.text) is None, page.name
