"""The door: what is kept of tokens, and that revoking one closes what it opened."""

from __future__ import annotations

import asyncio
import hmac
import json
import os
import stat
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from edge_runtime.errors import WebUnavailable
from edge_runtime.web.door import open_door
from edge_runtime.web.tokens import (
    MOST_TOKENS,
    PREFIX,
    TOKEN_FILE,
    TokenFile,
    Tokens,
    TokenScope,
    cookie_of,
)
from tests.web.fake_status import FakeClock
from tests.web.guarded import AT, Guarded, bearer, make_token
from tests.web.served import listening


@pytest.fixture
def file(tmp_path: Path) -> TokenFile:
    return TokenFile(tmp_path / TOKEN_FILE, now=lambda: datetime(2026, 11, 25, 11, 2, tzinfo=UTC))


def test_only_hashes_are_kept(file: TokenFile) -> None:
    kept, secret = file.make(TokenScope.VIEW, "kitchen")
    text = file.path.read_text()
    assert secret not in text
    assert secret.removeprefix(PREFIX) not in text
    assert cookie_of(secret) not in text
    assert json.loads(text)["tokens"] == [
        {
            "name": "kitchen",
            "scope": "view",
            "made": "2026-11-25T11:02:00Z",
            "digest": kept.digest,
            "expires": None,
        }
    ]


def test_what_is_kept_opens_nothing(file: TokenFile) -> None:
    kept, secret = file.make(TokenScope.VIEW, None)
    tokens = Tokens(file)
    assert tokens.by_token(secret) == kept
    assert tokens.by_cookie(cookie_of(secret)) == kept
    for stolen in (kept.digest, secret[:-1], "", cookie_of(secret)):
        assert tokens.by_token(stolen) is None
    for stolen in (kept.digest, secret, ""):
        assert tokens.by_cookie(stolen) is None


def test_a_token_is_192_random_bits(file: TokenFile) -> None:
    secrets = {file.make(TokenScope.STATS, f"t{number}")[1] for number in range(5)}
    assert len(secrets) == 5
    assert all(len(secret) == len(PREFIX) + 32 for secret in secrets)


def test_comparing_takes_as_long_for_every_token(
    file: TokenFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = file.make(TokenScope.VIEW, "first")[1]
    file.make(TokenScope.VIEW, "second")
    compared: list[str] = []
    real = hmac.compare_digest

    def counted(kept: str, offered: str) -> bool:
        compared.append(kept)
        return real(kept, offered)

    monkeypatch.setattr(hmac, "compare_digest", counted)
    tokens = Tokens(file)
    for offered in (first, "wrong"):
        compared.clear()
        tokens.by_token(offered)
        assert len(compared) == 2


def test_the_file_is_its_owners_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        make_token(tmp_path / "new" / "state")
    finally:
        os.umask(before)
    path = tmp_path / "new" / "state" / TOKEN_FILE
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in path.parent.iterdir()] == [TOKEN_FILE]


def test_a_file_that_others_could_read_is_locked_away(
    file: TokenFile, caplog: pytest.LogCaptureFixture
) -> None:
    file.make(TokenScope.VIEW, None)
    file.path.chmod(0o644)
    assert len(file.read()) == 1
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600
    assert "could be read by others" in caplog.text


def test_a_power_cut_while_writing_leaves_the_old_tokens(
    file: TokenFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.make(TokenScope.VIEW, "old")

    def cut(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", cut)
    with pytest.raises(WebUnavailable, match="No space left on device"):
        file.make(TokenScope.VIEW, "new")
    assert [token.name for token in file.read()] == ["old"]


def test_tokens_made_at_the_same_time_are_all_kept(tmp_path: Path) -> None:
    def make(number: int) -> None:
        make_token(tmp_path, name=f"t{number}")

    threads = [threading.Thread(target=make, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert len(TokenFile(tmp_path / TOKEN_FILE).read()) == 8


def test_names_are_given_once(file: TokenFile) -> None:
    file.make(TokenScope.VIEW, "kitchen")
    with pytest.raises(WebUnavailable, match=r"'kitchen' already.*token revoke kitchen"):
        file.make(TokenScope.ADMIN, "kitchen")


def test_there_is_an_end_to_tokens(file: TokenFile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", lambda _: None)
    for number in range(MOST_TOKENS):
        file.make(TokenScope.STATS, f"t{number}")
    with pytest.raises(WebUnavailable, match=f"{MOST_TOKENS} are the most"):
        file.make(TokenScope.STATS, "one more")


def test_revoking_what_is_not_there_names_what_is(file: TokenFile) -> None:
    file.make(TokenScope.VIEW, "kitchen")
    with pytest.raises(WebUnavailable, match=r"no token 'kitchn'.*kept: kitchen"):
        file.revoke("kitchn")


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        '{"tokens": [{"name": "a"}]}',
        '{"tokens": [{"name": "a", "scope": "root", "made": "", "digest": ""}]}',
        '{"tokens": [{"name": "a", "scope": "view", "made": "", "digest": "00"}]}',
    ],
)
def test_a_damaged_file_is_one_sentence(file: TokenFile, text: str) -> None:
    file.path.write_text(text)
    with pytest.raises(WebUnavailable, match=r"no list of tokens.*edge-runtime token new"):
        file.read()


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(WebUnavailable, match=r"cannot be kept in .*set state_dir"):
        make_token(tmp_path / "file")


def test_no_words_of_ours_hold_a_digest(file: TokenFile, tmp_path: Path) -> None:
    kept, _ = file.make(TokenScope.VIEW, None)
    door = open_door("0.0.0.0", state_dir=tmp_path)
    assert kept.digest not in repr(kept) + repr(door)


def test_a_new_token_opens_a_running_service(tmp_path: Path) -> None:
    served = Guarded(tmp_path)
    late = served.make(TokenScope.STATS)
    assert served.ask("/api/v1/status", late).status_code == 200


def test_a_revoked_token_opens_nothing_any_more(tmp_path: Path) -> None:
    served = Guarded(tmp_path)
    token = served.make(TokenScope.VIEW, "kitchen")
    cookies = dict(served.log_in(token).cookies)
    assert served.ask("/api/v1/status", cookies=cookies).status_code == 200
    served.revoke("kitchen")
    assert served.ask("/api/v1/status", token).status_code == 401
    stale = served.ask("/api/v1/status", cookies=cookies)
    assert stale.status_code == 401
    assert 'edge_runtime_8000=""' in stale.headers["set-cookie"]
    assert served.ask("/api/v1/status", served.token).status_code == 200


def test_a_file_that_becomes_unreadable_closes_the_door(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    served = Guarded(tmp_path)
    (tmp_path / TOKEN_FILE).write_text("{")
    served.clock.now += 1
    assert served.ask("/api/v1/status", served.token).status_code == 401
    assert "nobody can come in" in caplog.text


def test_the_file_is_looked_at_once_a_second(tmp_path: Path) -> None:
    make_token(tmp_path, name="kitchen")
    clock, file = FakeClock(), TokenFile(tmp_path / TOKEN_FILE)
    tokens = Tokens(file, clock=clock)
    (kept,) = file.read()
    file.revoke("kitchen")
    clock.now += 0.9
    assert tokens.holds(kept)
    clock.now += 0.1
    assert not tokens.holds(kept)


@pytest.mark.parametrize("path", ["/api/v1/live", "/api/v1/stream.mjpg"])
def test_a_revoked_token_ends_what_is_open(tmp_path: Path, path: str) -> None:
    served = Guarded(tmp_path)
    token = served.make(TokenScope.VIEW, "kitchen")

    async def follow() -> None:
        async with listening(served.app, path, bearer(token)) as (listener, _):
            await listener.next()
            served.revoke("kitchen")
            served.status.last = None
            heard = listener.chunks.qsize()
            for number in range(100):
                if listener.ended:
                    break
                if served.preview.viewers:
                    await asyncio.to_thread(served.show, number)
                served.clock.now += 0.5
                await asyncio.sleep(0.02)
            assert listener.ended
            assert listener.chunks.qsize() == heard

    asyncio.run(follow())


def test_a_change_that_is_under_way_is_not_made_any_more(tmp_path: Path) -> None:
    served = Guarded(tmp_path)
    token = served.make(TokenScope.ADMIN, "kitchen")

    async def body():  # type: ignore[no-untyped-def]
        yield b"half"
        served.revoke("kitchen")
        yield b"half"

    answer = served.request(
        "POST", "/api/v1/models?name=a.zip", base=AT, headers=bearer(token), content=body()
    )
    assert answer.status_code == 401
    assert len(served.counter.kept) == 1
    assert [upload.closed for upload in served.counter.uploads] == [True]
