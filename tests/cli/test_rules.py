"""``rules check`` and ``rules try``: for real, on loopback, with real programs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from gpiozero import Device
from gpiozero.pins.mock import MockFactory

from edge_runtime.cli.rules import rules
from edge_runtime.errors import ActionFailed, ConfigError
from tests.events.receiver import Receiver

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A rules command with a config file of these lines."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("EDGE_RUNTIME_CONFIG", raising=False)

    def invoke(text: str, *words: str) -> Result:
        path = tmp_path / "config.toml"
        path.write_text(text)
        return CliRunner().invoke(rules, [*words, "--config", str(path)])

    return invoke


def rule(then: str, *, name: str = "bell", when: str = "face_came", more: str = "") -> str:
    return f'[[rule]]\nname = "{name}"\nwhen = "{when}"\n{more}\nthen = {{ {then} }}\n'


def test_check_says_in_words_what_each_rule_does(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Device, "pin_factory", MockFactory())
    result = run(
        rule('webhook = "https://ntfy.example.org/secret"')
        + rule("gpio = 17", name="gate", when="label_changed",
               more='label = "smile"\nmin_score = 0.8\nfor_s = 2\nquiet_hours = "22:00-06:00"')
        + rule('command = ["true", "yes"]', name="note", more='camera = "camera"'),
        "check",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines() == [
        "bell: when face_came, at most every 10 s: POST to https://ntfy.example.org/***",
        "gate: when label_changed smile with a score of 0.8 lasts 2 s, at most every 10 s, "
        "not 22:00-06:00: switch GPIO 17 on for 1 s",
        "note: when face_came at camera, at most every 10 s: start true yes",
    ]
    assert result.stderr == ""


def test_check_names_all_that_is_missing_and_exits_with_5(run: Run, tmp_path: Path) -> None:
    result = run(
        rule('command = ["/nowhere/note"]')
        + rule('webhook = "http://127.0.0.1/", headers_file = "gone"', name="hook"),
        "check",
    )
    assert result.exit_code == 5
    assert "rule bell: /nowhere/note is no program" in result.stderr
    assert f"rule hook: {tmp_path / 'gone'} cannot be read" in result.stderr


def test_check_doubts_labels_that_nobody_says_and_secrets_in_the_open(
    run: Run, tmp_path: Path
) -> None:
    secret = tmp_path / "headers"
    secret.write_text("Authorization: Bearer x\n")
    secret.chmod(0o644)
    result = run(
        rule('command = ["true"]', when="label_changed", more='label = "smil"')
        + rule('command = ["true"]', name="b", when="label_changed", more='model = "mask"')
        + rule('webhook = "http://127.0.0.1/", headers_file = "headers"', name="c"),
        "check",
    )
    assert result.exit_code == 0
    assert "no active classifier says 'smil'; did you mean smile?" in result.stderr
    assert "no classifier 'mask' is active" in result.stderr
    assert "sent without encryption" in result.stderr
    assert f"others may read {secret}: chmod 600" in result.stderr


def test_try_sends_a_made_up_event_and_says_so(run: Run) -> None:
    with Receiver() as receiver:
        result = run(
            rule(f'webhook = "{receiver.url}/hook"', when="label_changed", more='label = "smile"'),
            "try", "bell",
        )  # fmt: skip
    assert result.exit_code == 0, result.output
    assert 'bell: done, with label_changed and "test": true' in result.stdout
    body = receiver.got[0].body
    assert body["test"] is True
    assert (body["rule"], body["kind"], body["camera"]) == ("bell", "label_changed", "camera")
    assert body["fields"]["label"] == "smile"


def test_try_says_why_it_did_not_work(run: Run) -> None:
    with Receiver((404,)) as receiver:
        result = run(rule(f'webhook = "{receiver.url}"'), "try", "bell")
    assert isinstance(result.exception, ActionFailed)
    assert "answered 404" in str(result.exception)


def test_an_unknown_rule_gets_the_nearest(run: Run) -> None:
    result = run(rule('command = ["true"]'), "try", "bel")
    assert isinstance(result.exception, ConfigError)
    assert str(result.exception) == "there is no rule 'bel'; did you mean bell?"
    assert str(run("", "try", "bell").exception) == "there is no rule 'bell'; there are none"


def test_no_rules_are_no_mistake(run: Run) -> None:
    assert "no rules" in run("", "check").output


@pytest.mark.parametrize("when", ["model_refused", "under_voltage", "camera_lost", "face_left"])
def test_every_kind_can_be_tried(run: Run, when: str) -> None:
    result = run(rule('command = ["true"]', when=when), "try", "bell")
    assert result.exit_code == 0, result.output
