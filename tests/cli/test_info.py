"""``info``, ``setup`` and the QR codes, as a user runs them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from edge_runtime import __version__
from edge_runtime.cli import info as module
from edge_runtime.cli.info import info
from edge_runtime.cli.options import environment
from edge_runtime.cli.setup import setup
from edge_runtime.cli.token import token
from edge_runtime.errors import ConfigError, SetupFailed
from edge_runtime.qr import drawn
from edge_runtime.web.tokens import TOKEN_FILE, TokenFile, Tokens


@pytest.fixture(autouse=True)
def state(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("XDG_CONFIG_HOME", "EDGE_RUNTIME_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("EDGE_RUNTIME_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setattr(module, "own_addresses", lambda: ("10.0.0.7",))
    monkeypatch.setattr("socket.gethostname", lambda: "cam7")
    monkeypatch.setattr(module, "list_cameras", lambda: ())
    return tmp_path / "state"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(info, list(arguments))


def told(*arguments: str) -> dict[str, object]:
    done = run("--json", *arguments)
    assert done.exit_code == 0, done.output
    found: dict[str, object] = json.loads(done.stdout)
    return found


def test_on_loopback_nobody_else_can_come(state: Path) -> None:
    found = told()
    assert found["version"] == __version__
    assert found["page"] == ["http://127.0.0.1:8000/"]
    assert "this machine only" in str(found["token"])
    assert "face-glance" in str(found["models"])


def test_on_the_network_it_has_a_number_and_a_name() -> None:
    found = told("--set", "web.host=0.0.0.0", "--set", "web.port=9000")
    assert found["page"] == ["http://10.0.0.7:9000/", "http://cam7.local:9000/"]
    assert "there is none" in str(found["token"])
    assert told("--set", "web.enabled=false")["page"] == "switched off (web.enabled)"


def test_no_token_is_shown_that_was_not_just_made(state: Path) -> None:
    network = ("--set", "web.host=0.0.0.0")
    done = run("--new-token", "--qr", *network)
    link = next(line.strip() for line in done.stderr.splitlines() if "login#" in line)
    address, _, secret = link.partition("login#")
    assert address == "http://10.0.0.7:8000/"
    assert secret not in done.stdout
    assert drawn(link) in done.stderr
    kept = Tokens(TokenFile(state / TOKEN_FILE)).by_token(secret)
    assert kept is not None
    assert kept.scope.word == "view"
    again = run("--qr", *network)
    assert "1 made" in again.stdout
    assert "login#" not in again.output
    assert drawn("http://10.0.0.7:8000/") in again.stderr


def test_a_cameras_password_is_hidden() -> None:
    done = run("--set", "source.uri=rtsp://me:secret@10.0.0.9/x")
    assert "secret" not in done.output
    assert "me:***@" in done.stdout
    # Into a pipe no pictures are drawn.
    assert "█" not in done.output


def test_the_installed_service_is_meant_where_its_file_holds(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    ours = environment({"HOME": "/root", "PATH": "/bin"}, of_service=True)
    assert ours == {"PATH": "/bin", "STATE_DIRECTORY": "/var/lib/edge-runtime"}
    file = tmp_path / "system.toml"
    file.write_text("[web]\nport = 81\n")
    monkeypatch.setattr(module, "SYSTEM_FILE", file)
    monkeypatch.delenv("EDGE_RUNTIME_STATE_DIR")
    loaded = module._settings(file, ())
    assert str(loaded.config.state_dir) == "/var/lib/edge-runtime"
    assert loaded.config.web.port == 81


def test_a_new_token_comes_as_a_code_for_phones() -> None:
    done = CliRunner().invoke(token, ["new", "--qr", "--set", "web.host=10.0.0.7"])
    secret = done.stdout.strip()
    assert drawn(f"http://10.0.0.7:8000/login#{secret}") in done.stderr


def test_a_code_holds_what_it_should(tmp_path: Path) -> None:
    """Read back by a reader that is not ours."""
    cv2 = pytest.importorskip("cv2")
    numpy = pytest.importorskip("numpy")
    link = "http://cam7.local:8000/login#ert_0123456789abcdefghijklmnopqrstuv"
    blocks = {"█": (1, 1), "▀": (1, 0), "▄": (0, 1), " ": (0, 0)}
    rows = [[blocks[letter] for letter in line] for line in drawn(link).splitlines()]
    modules = numpy.array(
        [[cell[half] for cell in row] for row in rows for half in (0, 1)], numpy.uint8
    )
    picture = numpy.kron(modules * 255, numpy.ones((8, 8), numpy.uint8)).astype(numpy.uint8)
    assert cv2.QRCodeDetector().detectAndDecode(picture)[0] == link


def test_a_conf_is_checked_before_the_card_is_in_the_board(tmp_path: Path) -> None:
    file = tmp_path / "edge.conf"
    file.write_text("hostname = cam7\n")
    done = CliRunner().invoke(setup, [str(file), "--check"])
    assert done.exit_code == 0, done.output
    assert done.stdout == "hostname: is right\n"
    file.write_text("hostname = cam7\nspeed = 9\ntoken = guess\n")
    done = CliRunner().invoke(setup, [str(file), "--check"])
    assert isinstance(done.exception, ConfigError)
    assert "edge.conf line 2: there is no key 'speed'" in done.stderr
    assert str(done.exception).startswith("edge.conf line 3: token can be guessed")


def test_only_root_sets_a_system_up(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    done = CliRunner().invoke(setup, [str(tmp_path / "edge.conf")])
    assert isinstance(done.exception, SetupFailed)
    assert "sudo edge-runtime setup" in str(done.exception)
