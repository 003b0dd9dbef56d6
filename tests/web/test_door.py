"""Which addresses need a token, how it is kept, and which names are ours."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from edge_runtime.errors import WebUnavailable
from edge_runtime.web.door import TOKEN_FILE, is_loopback, open_door


@pytest.mark.parametrize("address", ["127.0.0.1", "127.9.9.9", "::1", "localhost"])
def test_loopback_needs_no_token_and_writes_nothing(tmp_path: Path, address: str) -> None:
    door = open_door(address, state_dir=tmp_path / "state")
    assert door.token is None
    assert door.opens_to("")
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "192.168.1.5", "pi.local", ""])
def test_every_other_address_needs_one(tmp_path: Path, address: str) -> None:
    door = open_door(address, state_dir=tmp_path)
    assert not is_loopback(address)
    assert door.token is not None
    assert not door.opens_to("")
    assert not door.opens_to(door.token[:-1])
    assert not door.opens_to("é" * 40)
    assert door.opens_to(door.token)


def test_the_token_is_made_once_and_read_by_its_owner_only(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "state"
    first = open_door("0.0.0.0", state_dir=folder)
    again = open_door("0.0.0.0", state_dir=folder)
    assert first.token == again.token
    assert stat.S_IMODE((folder / TOKEN_FILE).stat().st_mode) == 0o600
    assert [path.name for path in folder.iterdir()] == [TOKEN_FILE]


def test_two_machines_have_different_tokens(tmp_path: Path) -> None:
    tokens = {open_door("0.0.0.0", state_dir=tmp_path / name).token for name in "ab"}
    assert len(tokens) == 2


def test_a_token_others_can_read_is_locked_away(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    kept = tmp_path / TOKEN_FILE
    kept.write_text("a-token-that-was-copied-here\n")
    kept.chmod(0o644)
    assert open_door("0.0.0.0", state_dir=tmp_path).token == "a-token-that-was-copied-here"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert "could be read by others" in caplog.text


def test_a_short_token_is_refused(tmp_path: Path) -> None:
    (tmp_path / TOKEN_FILE).write_text("12345\n")
    with pytest.raises(WebUnavailable, match="5 characters, 16 are needed"):
        open_door("0.0.0.0", state_dir=tmp_path)


def test_a_token_that_cannot_be_kept_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(WebUnavailable, match=r"cannot be kept in .*set state_dir"):
        open_door("0.0.0.0", state_dir=tmp_path / "file")


def test_the_token_is_not_in_the_doors_own_words(tmp_path: Path) -> None:
    door = open_door("0.0.0.0", state_dir=tmp_path)
    assert door.token is not None
    assert door.token not in repr(door)


@pytest.mark.parametrize(
    "name", ["pi", "PI", "pi.local", "pi.local.", "localhost", "127.0.0.1", "::1", "cam.example"]
)
def test_answers_to_its_own_names(tmp_path: Path, name: str) -> None:
    door = open_door("0.0.0.0", state_dir=tmp_path, hostname="pi", allowed_hosts=["Cam.Example"])
    assert door.answers_to(name, "192.168.1.5")


@pytest.mark.parametrize("name", ["evil.example", "pi.evil.example", "", "192.168.1.6"])
def test_answers_to_no_other(tmp_path: Path, name: str) -> None:
    door = open_door("0.0.0.0", state_dir=tmp_path, hostname="pi")
    assert not door.answers_to(name, "192.168.1.5")
    assert not door.answers_to(name, None)


@pytest.mark.parametrize(
    ("name", "reached_at"),
    [
        ("192.168.1.5", "192.168.1.5"),
        ("192.168.1.5", "::ffff:192.168.1.5"),
        ("fe80::1", "fe80::1%eth0"),
    ],
)
def test_a_number_is_ours_when_the_request_came_in_there(
    tmp_path: Path, name: str, reached_at: str
) -> None:
    assert open_door("0.0.0.0", state_dir=tmp_path, hostname="pi").answers_to(name, reached_at)


def test_the_url_opens_the_page(tmp_path: Path) -> None:
    assert open_door("127.0.0.1", state_dir=tmp_path).url(8000) == "http://127.0.0.1:8000/"
    assert open_door("::1", state_dir=tmp_path).url(80) == "http://[::1]:80/"
    far = open_door("192.168.1.5", state_dir=tmp_path)
    assert far.url(80) == f"http://192.168.1.5:80/?token={far.token}"
    everywhere = open_door("0.0.0.0", state_dir=tmp_path).url(80)
    assert "0.0.0.0" not in everywhere
