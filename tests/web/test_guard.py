"""The door in front of every address: each rule has a request that it alone refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge_runtime.web.door import open_door
from edge_runtime.web.guard import host_name
from tests.web.served import Served

PATHS = ["/", "/docs", "/api/v1/status", "/metrics", "/readyz", "/openapi.json", "/favicon.ico"]
AT = "http://192.168.1.5:8000"


@pytest.fixture
def served() -> Served:
    return Served()


@pytest.fixture
def guarded(tmp_path: Path) -> Served:
    return Served(door=open_door("0.0.0.0", state_dir=tmp_path, hostname="pi"))


def token(served: Served) -> str:
    assert served.door.token is not None
    return served.door.token


@pytest.mark.parametrize("path", PATHS)
def test_loopback_lets_everybody_in(served: Served, path: str) -> None:
    assert served.get(path).status_code == 200


@pytest.mark.parametrize(
    "path", [*PATHS, "/api/v1/stream.mjpg", "/api/v1/snapshot.jpg", "/api/v1/live", "/nothing"]
)
def test_elsewhere_nothing_answers_without_the_token(guarded: Served, path: str) -> None:
    answer = guarded.get(path, base=AT)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert "token" in answer.json()["detail"]


@pytest.mark.parametrize("path", ["/healthz", "/static/page.css"])
def test_what_tells_nothing_needs_no_token(guarded: Served, path: str) -> None:
    assert guarded.get(path, base=AT).status_code == 200


@pytest.mark.parametrize("path", ["/static/../api/v1/status", "/static/%2e%2e/api/v1/status"])
def test_the_public_folder_is_no_way_in(guarded: Served, path: str) -> None:
    answer = guarded.get(path, base=AT)
    assert answer.status_code in {401, 404}
    assert "state" not in answer.text


@pytest.mark.parametrize("path", PATHS)
def test_a_bearer_token_opens(guarded: Served, path: str) -> None:
    headers = {"authorization": f"Bearer {token(guarded)}"}
    assert guarded.get(path, base=AT, headers=headers).status_code == 200


@pytest.mark.parametrize("word", ["Bearer wrong", "Basic {}", "Bearer", "{}", "Bearer é"])
def test_a_wrong_bearer_does_not(guarded: Served, word: str) -> None:
    value = word.format(token(guarded)).encode("latin-1")
    answer = guarded.get("/api/v1/status", base=AT, headers={"authorization": value})
    assert answer.status_code == 401


def test_the_link_is_exchanged_for_a_cookie(guarded: Served) -> None:
    answer = guarded.get(f"/?token={token(guarded)}", base=AT)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert guarded.get("/api/v1/status", base=AT, cookies=dict(answer.cookies)).status_code == 200


def test_the_token_in_another_address_opens_nothing(guarded: Served) -> None:
    assert guarded.get(f"/api/v1/status?token={token(guarded)}", base=AT).status_code == 401


def test_a_cookie_of_another_port_is_not_ours(guarded: Served) -> None:
    cookies = {"edge_runtime_9999": token(guarded)}
    assert guarded.get("/api/v1/status", base=AT, cookies=cookies).status_code == 401


def test_a_browser_is_asked_for_the_token_and_may_answer(guarded: Served) -> None:
    html = {"accept": "text/html"}
    asked = guarded.get("/", base=AT, headers=html)
    assert asked.status_code == 401
    assert 'action="/login"' in asked.text
    assert "{{" not in asked.text
    wrong = guarded.request("POST", "/login", base=AT, headers=html, data={"token": "guess"})
    assert wrong.status_code == 401
    assert "not the token" in wrong.text
    right = guarded.request("POST", "/login", base=AT, data={"token": f" {token(guarded)}\n"})
    assert right.status_code == 303
    assert guarded.get("/", base=AT, cookies=dict(right.cookies)).status_code == 200


def test_a_login_longer_than_any_token_is_not_read(guarded: Served) -> None:
    answer = guarded.request("POST", "/login", base=AT, content=b"token=" + b"x" * 100_000)
    assert answer.status_code == 413


@pytest.mark.parametrize("door", ["served", "guarded"])
def test_a_name_that_is_not_ours_is_refused(door: str, request: pytest.FixtureRequest) -> None:
    served: Served = request.getfixturevalue(door)
    answer = served.get("/healthz", headers={"host": "evil.example:8000"})
    assert answer.status_code == 421
    assert "evil.example" in answer.json()["detail"]
    assert "web.allowed_hosts" in answer.json()["detail"]


@pytest.mark.parametrize("host", ["", "[::1", "a:b:c", ":8000"])
def test_a_malformed_host_is_refused(served: Served, host: str) -> None:
    assert served.get("/healthz", headers={"host": host}).status_code == 400


@pytest.mark.parametrize(
    ("host", "name"),
    [("pi:80", "pi"), ("pi", "pi"), ("[::1]:80", "::1"), ("[fe80::1]", "fe80::1"), ("::1", "")],
)
def test_the_port_is_no_part_of_the_name(host: str, name: str) -> None:
    assert host_name(host) == name


def test_another_sites_page_cannot_show_the_stream(served: Served) -> None:
    embedded = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"}
    assert served.get("/api/v1/stream.mjpg", headers=embedded).status_code == 403
    linked = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
    assert served.get("/", headers=linked).status_code == 200


@pytest.mark.parametrize("path", [*PATHS, "/nothing", "/static/page.js"])
def test_every_answer_carries_the_security_headers(served: Served, path: str) -> None:
    headers = served.get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert headers["referrer-policy"] == "no-referrer"
    assert "server" not in headers
    assert "cache-control" in headers


def test_refusals_carry_them_too(guarded: Served) -> None:
    for answer in (guarded.get("/", base=AT), guarded.get("/", headers={"host": "evil"})):
        assert "content-security-policy" in answer.headers


def test_the_token_is_in_no_answer(guarded: Served) -> None:
    headers = {"authorization": f"Bearer {token(guarded)}"}
    for path in PATHS:
        assert token(guarded) not in guarded.get(path, base=AT, headers=headers).text
