"""``edge-runtime top`` as it is typed."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from edge_runtime.cli.main import main
from tests.web.conftest import LiveService

TOKEN = "ert_" + "t" * 28


def test_once_over_the_api(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with LiveService(tmp_path) as live:
        assert main(["top", "--once", "--url", live.url]) == 0
    assert "54.2 °C of 80" in capsys.readouterr().out


def test_without_a_terminal_it_ends_by_itself(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with LiveService(tmp_path) as live:
        monkeypatch.setenv("EDGE_RUNTIME_URL", live.url)
        assert main(["top"]) == 0
    assert "\x1b" not in capsys.readouterr().out


def test_without_an_address_it_asks_whom_the_settings_tell(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with LiveService(tmp_path) as live:
        settings = tmp_path / "edge-runtime.toml"
        settings.write_text(f'[web]\nhost = "0.0.0.0"\nport = {live.port}\n')
        assert main(["top", "--once", "--config", str(settings)]) == 0
    assert f"http://127.0.0.1:{live.port}/" in capsys.readouterr().out


@pytest.mark.parametrize("way", ["option", "environment", "file"])
def test_the_token(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    way: str,
) -> None:
    file = tmp_path / "token"
    file.write_text(TOKEN + "\n")
    if way == "environment":
        monkeypatch.setenv("EDGE_RUNTIME_TOKEN", TOKEN)
    more = {"option": ["--token", TOKEN], "file": ["--token-file", str(file)]}.get(way, [])
    with LiveService(tmp_path, token=TOKEN) as live:
        assert main(["top", "--once", "--url", live.url, *more]) == 0
    assert TOKEN not in capsys.readouterr().out


def test_the_tokens_variable_is_no_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGE_RUNTIME_TOKEN", TOKEN)
    monkeypatch.setenv("EDGE_RUNTIME_URL", "http://pi:8000")
    assert main(["config", "check"]) == 0


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["--token-file", "/nowhere"], 2, "cannot be read from /nowhere: No such file"),
        (["--url", "ftp://pi"], 2, "such as http://pi.local:8000"),
        (["--url", "http://127.0.0.1:1"], 9, "nothing listens at http://127.0.0.1:1/"),
    ],
)
def test_what_is_wrong_is_one_sentence(
    capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, sentence: str
) -> None:
    assert main(["top", "--once", *arguments]) == code
    said = capsys.readouterr().err
    assert sentence in said
    assert said.count("\n") == 1


def test_without_rich_it_says_how_to_get_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "rich"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "rich", None)
    assert main(["top", "--once"]) == 6
    assert "pip install rich" in capsys.readouterr().err
