from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from edge_runtime.cli.config import config
from edge_runtime.errors import ConfigError


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.delenv("EDGE_RUNTIME_CONFIG", raising=False)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(config, list(arguments))


def test_show_says_where_each_value_came_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("[web]\nport = 9000\n")
    monkeypatch.setenv("EDGE_RUNTIME_LOG__LEVEL", "debug")
    result = run("show", "--config", str(path))
    assert result.exit_code == 0
    assert f"# config file: {path}" in result.output
    assert f"port = 9000  # {path} line 2" in result.output
    assert 'level = "debug"  # environment EDGE_RUNTIME_LOG__LEVEL' in result.output
    assert "pixelate = true  # default" in result.output


def test_what_show_prints_is_a_config_file(tmp_path: Path) -> None:
    path = tmp_path / "shown.toml"
    path.write_text(run("show").output)
    assert run("check", str(path)).exit_code == 0


def test_show_masks_passwords(tmp_path: Path) -> None:
    path = tmp_path / "camera.toml"
    path.write_text("[source]\nuri = 'rtsp://me:secret@camera/1'\n")
    output = run("show", "--config", str(path)).output
    assert "secret" not in output
    assert "rtsp://me:***@camera/1" in output


def test_show_raises_for_the_command_line_to_report(tmp_path: Path) -> None:
    assert isinstance(run("show", "--config", str(tmp_path / "gone.toml")).exception, ConfigError)


def test_check_prints_one_line_per_problem_and_exits_with_2(tmp_path: Path) -> None:
    path = tmp_path / "wrong.toml"
    path.write_text("[web]\nport = 'x'\nprot = 1\n")
    result = run("check", str(path))
    assert result.exit_code == 2
    assert len(result.stderr.splitlines()) == 2
    assert "did you mean web.port?" in result.stderr


def test_check_reports_a_missing_file(tmp_path: Path) -> None:
    result = run("check", str(tmp_path / "gone.toml"))
    assert result.exit_code == 2
    assert "cannot be read" in result.stderr


def test_check_praises_a_right_file(tmp_path: Path) -> None:
    path = tmp_path / "right.toml"
    path.write_text("[web]\nport = 9000\n")
    result = run("check", str(path))
    assert (result.exit_code, result.output) == (0, f"{path}: no problems\n")


def test_check_without_a_file_reads_what_is_in_force(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("[web]\nport = 9000\n")
    monkeypatch.setenv("EDGE_RUNTIME_CONFIG", str(path))
    assert run("check").output == f"{path}: no problems\n"
    monkeypatch.setenv("EDGE_RUNTIME_WEB__PORT", "many")
    assert isinstance(run("check").exception, ConfigError)
