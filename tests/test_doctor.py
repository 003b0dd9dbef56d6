"""The command as a person or a script meets it."""

from __future__ import annotations

import io
import json
import logging
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from edge_runtime.cli import doctor as command
from edge_runtime.cli.main import main
from edge_runtime.types import JsonObject
from tests.doctor.conftest import Bench, Node
from tests.telemetry.recorded import RecordedMachine

CONFIG = """
state_dir = "{state}"
[detector]
model = "{model}"
[classify]
models = []
"""


@pytest.fixture(autouse=True)
def untouched_root() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def examined(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Bench]:
    """Puts a recorded board in the place of this machine."""

    def put(board: str) -> Bench:
        bench = Bench(RecordedMachine(tmp_path / "root", board), nodes=(Node(),))
        monkeypatch.setattr(command, "Machine", lambda cameras: bench.machine())
        return bench

    return put


def config_file(folder: Path, model: str) -> str:
    file = folder / "config.toml"
    file.write_text(CONFIG.format(state=folder, model=model))
    return str(file)


def findings(text: str) -> dict[str, JsonObject]:
    return {finding["name"]: finding for finding in json.loads(text)["findings"]}


def test_a_missing_model_is_said_with_exit_code_one(
    examined: Callable[[str], Bench], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    examined("x86-laptop")
    assert main(["doctor", "--json", "--config", config_file(tmp_path, "no-such-model")]) == 1
    found = findings(capsys.readouterr().out)
    assert found["model no-such-model"]["state"] == "act"
    assert found["config"]["text"].endswith("config.toml")


def test_what_is_only_to_be_watched_exits_with_zero(
    examined: Callable[[str], Bench], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    examined("pi4b")
    flags = ["--set", 'detector.model="x"', "--set", "web.enabled=false"]
    main(["doctor", "--json", "--config", config_file(tmp_path, "y"), *flags])
    found = findings(capsys.readouterr().out)
    acting = {name for name, finding in found.items() if finding["state"] == "act"}
    assert acting == {"model x"}
    assert found["power supply"]["state"] == "watch"
    assert "port" not in found


def test_a_broken_config_does_not_end_the_examination(
    examined: Callable[[str], Bench], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    examined("x86-laptop")
    broken = tmp_path / "broken.toml"
    broken.write_text("[web]\nprot = 9000\n")
    assert main(["doctor", "--config", str(broken)]) == 1
    out = capsys.readouterr().out
    assert "web.prot" in out
    assert "state folder" in out


def test_a_terminal_without_unicode_gets_ascii(
    examined: Callable[[str], Bench], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    examined("pi4b")
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii"))
    main(["doctor", "--config", config_file(tmp_path, "none")])
    sys.stdout.flush()
    lines = raw.getvalue().decode("ascii").splitlines()
    assert lines[0] == "+ board              Raspberry Pi 4 Model B Rev 1.2"
    assert any(line.startswith("x model none") for line in lines)
    assert "\x1b" not in raw.getvalue().decode()


def test_this_machine_is_examined(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["doctor", "--json", "--config", config_file(tmp_path, "none")])
    told = json.loads(capsys.readouterr().out)
    assert code == 1
    assert told["counts"]["act"] >= 1
    assert sum(told["counts"].values()) == len(told["findings"])
