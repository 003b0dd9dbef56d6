"""The door: who is inside, how one leaves, and when a token ends by itself."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from edge_runtime.web.backoff import FREE
from edge_runtime.web.guard import COOKIE_DAYS
from edge_runtime.web.tokens import TOKEN_FILE, TokenFile, TokenScope
from tests.web.guarded import AT, Guarded
from tests.web.served import Served, listening

SESSION = "/api/v1/session"


@pytest.fixture
def served(tmp_path: Path) -> Guarded:
    return Guarded(tmp_path)


def short_lived(served: Guarded, **lives: float) -> str:
    """A token that ends after ``lives``."""
    file = TokenFile(served.folder / TOKEN_FILE, now=lambda: served.wall)
    token = file.make(TokenScope.VIEW, "guest", timedelta(**lives))[1]
    served.clock.now += 1
    return token


def test_on_loopback_nobody_is_asked_and_nobody_can_leave() -> None:
    told = Served().get(SESSION).json()
    assert told == {"asked": False, "name": None, "scope": "admin", "expires_at": None}


def test_who_is_inside_is_told_his_name_and_what_he_may(served: Guarded) -> None:
    told = served.ask(SESSION, served.make(TokenScope.VIEW, "kitchen")).json()
    assert told == {"asked": True, "name": "kitchen", "scope": "view", "expires_at": None}


def test_leaving_takes_the_cookie_away(served: Guarded) -> None:
    cookies = dict(served.log_in(served.token).cookies)
    left = served.ask(SESSION, method="DELETE", cookies=cookies)
    assert left.status_code == 200
    assert "logged out" in left.json()["detail"]
    gone = left.headers["set-cookie"].lower()
    assert next(iter(cookies)) in gone
    assert "max-age=0" in gone
    assert "httponly" in gone


def test_another_site_cannot_log_anybody_out(served: Guarded) -> None:
    headers = {"origin": "http://elsewhere.example"}
    assert served.ask(SESSION, method="DELETE", headers=headers).status_code == 403


def test_a_cookie_tells_the_browser_when_it_ends(served: Guarded) -> None:
    lasting = served.log_in(served.token).headers["set-cookie"]
    assert f"Max-Age={COOKIE_DAYS * 86400}" in lasting
    ending = served.log_in(short_lived(served, hours=2)).headers["set-cookie"]
    assert "Max-Age=7200" in ending


def test_a_token_that_has_expired_opens_nothing_and_says_since_when(served: Guarded) -> None:
    token = short_lived(served, days=30)
    cookies = dict(served.log_in(token).cookies)
    assert served.ask("/api/v1/status", token).status_code == 200
    served.wall += timedelta(days=30)
    for answer in (
        served.ask("/api/v1/status", token),
        served.ask("/api/v1/status", cookies=cookies),
    ):
        assert answer.status_code == 401
        assert "'guest' expired at 2026-12-25T11:02:00Z" in answer.json()["detail"]
        assert "edge-runtime token new" in answer.json()["detail"]
    assert "expired at 2026-12-25T11:02:00Z" in served.log_in(token).text
    assert served.ask("/api/v1/status", served.token).status_code == 200


def test_a_tokens_name_is_no_markup_on_the_login_page(served: Guarded) -> None:
    file = TokenFile(served.folder / TOKEN_FILE, now=lambda: served.wall)
    token = file.make(TokenScope.VIEW, "<b>guest</b>", timedelta(hours=1))[1]
    served.clock.now += 1
    served.wall += timedelta(hours=2)
    assert "&lt;b&gt;guest" in served.log_in(token).text


def test_an_expired_token_costs_as_much_as_a_wrong_one(served: Guarded) -> None:
    token = short_lived(served, hours=1)
    served.wall += timedelta(hours=2)
    for _ in range(FREE + 1):
        assert served.ask("/api/v1/status", token).status_code == 401
    assert served.ask("/api/v1/status", token).status_code == 429


def test_a_stream_ends_with_its_token(served: Guarded) -> None:
    token = short_lived(served, hours=1)

    async def scenario() -> bool:
        headers = {"host": AT.removeprefix("http://"), "authorization": f"Bearer {token}"}
        async with listening(served.app, "/api/v1/live", headers) as (listener, task):
            await listener.next()
            served.wall += timedelta(hours=1)
            await asyncio.wait_for(task, 5)
            return listener.ended

    assert asyncio.run(scenario())


def test_the_session_says_when_it_ends(served: Guarded) -> None:
    told = served.ask(SESSION, short_lived(served, days=1)).json()
    assert told["expires_at"] == datetime(2026, 11, 26, 11, 2, tzinfo=UTC).timestamp()
