"""The door: how a browser and a program show their token, and what wrong guesses cost."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
import pytest

from edge_runtime.web import guard as guard_module
from edge_runtime.web.assets import load_assets
from edge_runtime.web.backoff import FREE, LONGEST_S, MOST_ADDRESSES, Backoff
from tests.web.conftest import LiveService
from tests.web.fake_status import FakeClock
from tests.web.guarded import AT, PAGE, Guarded, bearer
from tests.web.served import Served

PATHS = ["/", "/docs", "/api/v1/status", "/metrics", "/readyz", "/openapi.json", "/favicon.ico"]


@pytest.fixture
def served(tmp_path: Path) -> Guarded:
    return Guarded(tmp_path)


@pytest.mark.parametrize("path", PATHS)
def test_loopback_lets_everybody_in(path: str) -> None:
    assert Served().get(path).status_code == 200


@pytest.mark.parametrize(
    "path", [*PATHS, "/api/v1/stream.mjpg", "/api/v1/snapshot.jpg", "/api/v1/live", "/nothing"]
)
def test_elsewhere_nothing_answers_without_a_token(served: Guarded, path: str) -> None:
    answer = served.ask(path)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert "edge-runtime token new" in answer.json()["detail"]


@pytest.mark.parametrize("path", ["/healthz", "/static/page.css", "/login"])
def test_what_tells_nothing_needs_no_token(served: Guarded, path: str) -> None:
    assert served.ask(path).status_code == 200


@pytest.mark.parametrize(
    "path",
    ["/static/../api/v1/status", "/static/%2e%2e/api/v1/status", "/healthz/", "//api/v1/status"],
)
def test_what_is_public_is_no_way_in(served: Guarded, path: str) -> None:
    answer = served.ask(path)
    assert answer.status_code in {401, 404}
    assert "camera" not in answer.text


@pytest.mark.parametrize("path", PATHS)
def test_a_bearer_token_opens(served: Guarded, path: str) -> None:
    assert served.ask(path, served.token).status_code == 200


@pytest.mark.parametrize(
    "word", ["Bearer wrong", "Basic {}", "Bearer", "{}", "Bearer é", "Bearer {}x"]
)
def test_a_wrong_bearer_does_not(served: Guarded, word: str) -> None:
    value = word.format(served.token).encode("latin-1")
    answer = served.get("/api/v1/status", base=AT, headers={"authorization": value})
    assert answer.status_code == 401


def test_a_login_is_exchanged_for_a_cookie(served: Guarded) -> None:
    answer = served.log_in(f" {served.token}\n")
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert "secure" not in cookie
    assert served.token.lower() not in cookie
    assert served.ask("/", cookies=dict(answer.cookies)).status_code == 200


def test_under_tls_the_cookie_is_sent_encrypted_only(served: Guarded) -> None:
    answer = served.request(
        "POST", "/login", base="https://192.168.1.5:8000", data={"token": served.token}
    )
    assert "secure" in answer.headers["set-cookie"].lower()


def test_a_cookie_is_no_bearer_token(served: Guarded) -> None:
    (cookie,) = served.log_in(served.token).cookies.values()
    assert served.ask("/api/v1/status", cookie).status_code == 401


def test_a_cookie_of_another_port_is_not_ours(served: Guarded) -> None:
    (cookie,) = served.log_in(served.token).cookies.values()
    assert served.ask("/api/v1/status", cookies={"edge_runtime_9999": cookie}).status_code == 401


def test_the_token_in_an_address_opens_nothing(served: Guarded) -> None:
    for path in ("/", "/api/v1/status", "/login"):
        answer = served.ask(f"{path}?token={served.token}")
        assert "set-cookie" not in answer.headers
        assert answer.status_code == 401 or path == "/login"


def test_a_browser_is_asked_and_may_answer(served: Guarded) -> None:
    asked = served.ask("/", headers=PAGE)
    assert asked.status_code == 401
    assert 'action="/login"' in asked.text
    assert "{{" not in asked.text
    wrong = served.log_in("guess")
    assert wrong.status_code == 401
    assert "no token of this runtime" in wrong.text


def test_the_link_of_a_new_token_hides_it_behind_the_fragment() -> None:
    # Browsers send no fragment to anybody; the page's own script hands it over as a login.
    script = load_assets()["login.js"].text
    assert "location.hash" in script
    assert "replaceState" in script


def test_where_no_token_is_asked_for_there_is_no_login() -> None:
    answer = Served().get("/login")
    assert (answer.status_code, answer.headers["location"]) == (303, "/")


def test_a_login_longer_than_any_token_is_not_read(served: Guarded) -> None:
    answer = served.request("POST", "/login", base=AT, content=b"token=" + b"x" * 100_000)
    assert answer.status_code == 413


def test_a_login_that_trickles_in_is_given_up(
    served: Guarded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guard_module, "LOGIN_S", 0.01)

    async def trickle():  # type: ignore[no-untyped-def]
        yield b"token="
        await asyncio.Event().wait()

    assert served.request("POST", "/login", base=AT, content=trickle()).status_code == 408


def test_no_answer_holds_a_token(served: Guarded) -> None:
    (cookie,) = served.log_in(served.token).cookies.values()
    for path in (*PATHS, "/nothing"):
        text = served.ask(path, served.token).text
        assert served.token not in text
        assert cookie not in text


def test_wrong_guesses_cost_time(served: Guarded) -> None:
    for _ in range(FREE + 1):
        assert served.ask("/api/v1/status", "guess").status_code == 401
    paused = served.ask("/api/v1/status", served.token)
    assert (paused.status_code, paused.headers["retry-after"]) == (429, "1")
    served.clock.now += 1
    assert served.ask("/api/v1/status", "guess").status_code == 401
    assert served.ask("/api/v1/status", "guess").headers["retry-after"] == "2"
    assert served.ask("/healthz").status_code == 200
    served.clock.now += 2
    assert served.ask("/api/v1/status", served.token).status_code == 200
    assert served.ask("/api/v1/status", "guess").status_code == 401


def test_wrong_logins_cost_time_too(served: Guarded) -> None:
    for _ in range(FREE + 1):
        assert served.log_in("guess").status_code == 401
    paused = served.log_in(served.token)
    assert paused.status_code == 429
    assert "Try again in 1 s" in paused.text


def test_wrong_cookies_cost_time_too(served: Guarded) -> None:
    for _ in range(FREE + 1):
        assert served.ask("/", cookies={"edge_runtime_8000": "00"}).status_code == 401
    assert served.ask("/", cookies={"edge_runtime_8000": "00"}).status_code == 429


def test_asking_without_a_token_is_no_guess(served: Guarded) -> None:
    for _ in range(FREE * 4):
        assert served.ask("/").status_code == 401


def test_who_guesses_delays_nobody_else(served: Guarded) -> None:
    async def ask(client: str, token: str) -> int:
        transport = httpx.ASGITransport(served.app, client=(client, 1))
        async with httpx.AsyncClient(transport=transport, base_url=AT) as browser:
            return (await browser.get("/api/v1/status", headers=bearer(token))).status_code

    for _ in range(FREE + 1):
        asyncio.run(ask("192.168.1.66", "guess"))
    assert asyncio.run(ask("192.168.1.66", served.token)) == 429
    assert asyncio.run(ask("192.168.1.7", served.token)) == 200


@pytest.mark.parametrize(("proxies", "last"), [((), 429), (("127.0.0.1",), 401)])
def test_only_a_trusted_proxy_says_who_guesses(
    tmp_path: Path, proxies: tuple[str, ...], last: int
) -> None:
    with LiveService(tmp_path, token="t" * 20, trusted_proxies=proxies) as live:
        statuses = []
        for number in range(FREE + 2):
            headers = {**bearer("guess"), "x-forwarded-for": f"10.0.0.{number}"}
            statuses.append(httpx.get(f"{live.url}api/v1/status", headers=headers).status_code)
        assert statuses == [401] * (FREE + 1) + [last]


def test_pauses_double_up_to_a_limit_and_are_forgotten() -> None:
    clock = FakeClock()
    backoff = Backoff(clock=clock)
    pauses = []
    for _ in range(FREE + 12):
        backoff.failed("10.0.0.1")
        pauses.append(backoff.wait_s("10.0.0.1"))
    assert pauses[: FREE + 4] == [0] * FREE + [1, 2, 4, 8]
    assert pauses[-1] == LONGEST_S
    clock.now += 901
    backoff.failed("10.0.0.1")
    assert backoff.wait_s("10.0.0.1") == 0


def test_a_household_of_ipv6_is_one_address() -> None:
    backoff = Backoff(clock=FakeClock())
    for number in range(FREE + 1):
        backoff.failed(f"2001:db8:0:1::{number:x}")
    assert backoff.wait_s("2001:db8:0:1:ffff::1") == 1
    assert backoff.wait_s("2001:db8:0:2::1") == 0
    for _ in range(FREE + 1):
        backoff.failed("::ffff:10.0.0.1")
    assert backoff.wait_s("10.0.0.1") == 1


def test_however_many_guess_little_is_remembered() -> None:
    backoff = Backoff(clock=FakeClock())
    for number in range(MOST_ADDRESSES * 3):
        backoff.failed(f"10.0.{number >> 8}.{number & 255}")
    assert len(backoff) == MOST_ADDRESSES
