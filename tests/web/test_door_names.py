"""The door: which addresses need a token, and which names are ours (DNS rebinding)."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge_runtime.errors import WebUnavailable
from edge_runtime.web import door as door_module
from edge_runtime.web.door import is_loopback, open_door, own_addresses
from edge_runtime.web.guard import host_name
from tests.web.guarded import Guarded, make_token
from tests.web.served import Served


@pytest.mark.parametrize("address", ["127.0.0.1", "127.9.9.9", "::1", "localhost"])
def test_loopback_needs_no_token_and_writes_nothing(tmp_path: Path, address: str) -> None:
    assert open_door(address, state_dir=tmp_path / "state").tokens is None
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "192.168.1.5", "pi.local", ""])
def test_every_other_address_needs_one(tmp_path: Path, address: str) -> None:
    assert not is_loopback(address)
    with pytest.raises(WebUnavailable, match=r"asks for a token.*edge-runtime token new"):
        open_door(address, state_dir=tmp_path)
    make_token(tmp_path)
    assert open_door(address, state_dir=tmp_path).tokens is not None


def test_loopback_asks_where_the_settings_say_so(tmp_path: Path) -> None:
    with pytest.raises(WebUnavailable, match="asks for a token"):
        open_door("127.0.0.1", state_dir=tmp_path, always_ask=True)


@pytest.mark.parametrize(
    "name", ["pi", "PI", "pi.local", "pi.local.", "localhost", "127.0.0.1", "::1", "cam.example"]
)
def test_answers_to_its_own_names(name: str) -> None:
    door = open_door(
        "127.0.0.1", state_dir=Path("/nowhere"), hostname="pi.lan", allowed_hosts=["Cam.Example"]
    )
    assert door.answers_to(name, "192.168.1.5")


@pytest.mark.parametrize("name", ["evil.example", "pi.evil.example", "", "192.168.1.6"])
def test_answers_to_no_other(tmp_path: Path, name: str) -> None:
    make_token(tmp_path)
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
def test_a_number_is_ours_when_the_request_came_in_there(name: str, reached_at: str) -> None:
    assert open_door("::1", state_dir=Path("/nowhere")).answers_to(name, reached_at)


@pytest.mark.parametrize("asks", [False, True])
def test_a_name_that_is_not_ours_is_refused(tmp_path: Path, asks: bool) -> None:
    served = Guarded(tmp_path) if asks else Served()
    answer = served.get("/healthz", headers={"host": "evil.example:8000"})
    assert answer.status_code == 421
    assert "evil.example" in answer.json()["detail"]
    assert "web.allowed_hosts" in answer.json()["detail"]


def test_what_could_be_no_name_is_not_repeated() -> None:
    answer = Served().get("/healthz", headers={"host": "127.0.0.1 Bearer ert_canary"})
    assert answer.status_code == 421
    assert "canary" not in answer.text


@pytest.mark.parametrize("host", ["", "[::1", "a:b:c", ":8000"])
def test_a_malformed_host_is_refused(host: str) -> None:
    assert Served().get("/healthz", headers={"host": host}).status_code == 400


def test_two_hosts_are_refused() -> None:
    headers = [("host", "127.0.0.1"), ("host", "evil.example")]
    assert Served().get("/healthz", headers=headers).status_code == 400


@pytest.mark.parametrize(
    ("host", "name"),
    [("pi:80", "pi"), ("pi", "pi"), ("[::1]:80", "::1"), ("[fe80::1]", "fe80::1"), ("::1", "")],
)
def test_the_port_is_no_part_of_the_name(host: str, name: str) -> None:
    assert host_name(host) == name


def test_the_url_is_where_a_browser_can_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert open_door("127.0.0.1", state_dir=tmp_path).url(8000) == "http://127.0.0.1:8000/"
    assert open_door("::1", state_dir=tmp_path).url(80, encrypted=True) == "https://[::1]:80/"
    make_token(tmp_path)
    everywhere = open_door("0.0.0.0", state_dir=tmp_path)
    monkeypatch.setattr(door_module, "own_addresses", lambda: ("192.168.1.5",))
    assert everywhere.url(80) == "http://192.168.1.5:80/"
    monkeypatch.setattr(door_module, "own_addresses", lambda: ())
    assert everywhere.url(80).endswith(".local:80/")


def test_the_machines_own_addresses_are_no_loopback() -> None:
    assert not any(is_loopback(address) for address in own_addresses())
