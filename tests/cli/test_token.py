"""Tokens and certificates by command, as a user makes them."""

from __future__ import annotations

import json
import ssl
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from edge_runtime.cli.certificate import certificate
from edge_runtime.cli.token import token
from edge_runtime.errors import OutputUnwritable, WebUnavailable
from edge_runtime.web.tokens import TOKEN_FILE, TokenFile, Tokens, TokenScope


@pytest.fixture(autouse=True)
def state(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.delenv("EDGE_RUNTIME_CONFIG", raising=False)
    monkeypatch.setenv("EDGE_RUNTIME_STATE_DIR", str(tmp_path / "state"))
    return tmp_path / "state"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(token, list(arguments))


def test_a_token_is_made_listed_and_revoked(state: Path) -> None:
    made = run("new", "--name", "kitchen", "--scope", "stats", "--set", "web.host=192.168.1.5")
    assert made.exit_code == 0, made.output
    secret = made.stdout.strip()
    assert f"http://192.168.1.5:8000/login#{secret}" in made.stderr
    kept = Tokens(TokenFile(state / TOKEN_FILE)).by_token(secret)
    assert kept is not None
    assert (kept.name, kept.scope.word) == ("kitchen", "stats")
    listed = run("list")
    assert listed.stdout.split()[:2] == ["kitchen", "stats"]
    assert secret not in listed.output
    assert json.loads(run("list", "--json").stdout)[0]["name"] == "kitchen"
    assert run("revoke", "kitchen").exit_code == 0
    assert run("list").stdout == ""


def test_a_token_may_see_and_not_change_unless_it_is_said(state: Path) -> None:
    run("new")
    (kept,) = TokenFile(state / TOKEN_FILE).read()
    assert kept.scope.word == "view"
    assert kept.name.startswith("view-")


def test_a_token_may_end_by_itself(state: Path) -> None:
    made = run("new", "--name", "guest", "--expires", "30d")
    assert made.exit_code == 0, made.output
    (kept,) = TokenFile(state / TOKEN_FILE).read()
    assert kept.expires is not None
    lives = datetime.fromisoformat(kept.expires) - datetime.fromisoformat(kept.made)
    assert lives == timedelta(days=30)
    assert f"until {kept.expires}" in made.stderr
    assert kept.expires in run("list").stdout
    (row,) = json.loads(run("list", "--json").stdout)
    assert (row["expires"], row["expired"]) == (kept.expires, False)


def test_a_list_says_which_have_expired(state: Path) -> None:
    then = datetime(2026, 1, 1, tzinfo=UTC)
    file = TokenFile(state / TOKEN_FILE, now=lambda: then)
    file.make(TokenScope.VIEW, "guest", timedelta(hours=1))
    assert "expired at 2026-01-01T01:00:00Z" in run("list").stdout
    assert json.loads(run("list", "--json").stdout)[0]["expired"]


@pytest.mark.parametrize("text", ["30", "0d", "-1d", "soon", "1y", "9999999d", "1.5h"])
def test_a_lifetime_is_a_whole_number_of_days_hours_or_minutes(text: str) -> None:
    refused = run("new", "--expires", text)
    assert refused.exit_code == 2
    assert "30d" in refused.stderr


def test_revoking_a_token_that_is_not_there_is_one_sentence() -> None:
    assert isinstance(run("revoke", "kitchen").exception, WebUnavailable)


def test_a_certificate_is_made_for_this_machine(state: Path) -> None:
    done = CliRunner().invoke(certificate, ["--name", "cam.example"])
    assert done.exit_code == 0, done.output
    cert, key = state / "page-certificate.pem", state / "page-key.pem"
    assert done.stdout == f'[web]\ntls_cert = "{cert}"\ntls_key = "{key}"\n'
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    told = ssl._ssl._test_decode_cert(str(cert))  # type: ignore[attr-defined]
    assert {("DNS", "localhost"), ("DNS", "cam.example"), ("IP Address", "127.0.0.1")} <= set(
        told["subjectAltName"]
    )
    fingerprint = ssl.PEM_cert_to_DER_cert(cert.read_text())
    import hashlib

    assert hashlib.sha256(fingerprint).hexdigest().upper() in done.stderr.replace(":", "")
    again = CliRunner().invoke(certificate, [])
    assert isinstance(again.exception, OutputUnwritable)
    assert "not replaced" in str(again.exception)
