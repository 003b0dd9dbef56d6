"""The command itself: help, version, typed errors, readers that leave."""

from __future__ import annotations

import subprocess
import sys

import pytest

from edge_runtime import __version__
from edge_runtime.cli.main import COMMANDS, main


def test_the_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert __version__ in capsys.readouterr().out


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command, "--help"]) == 0
    assert f"Usage: edge-runtime {command}" in capsys.readouterr().out


def test_an_unknown_command_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fly"]) == 2
    assert "fly" in capsys.readouterr().err


def test_a_reader_that_leaves_gets_no_traceback() -> None:
    pipe = f"{sys.executable} -m edge_runtime --help | true"
    done = subprocess.run(["bash", "-c", pipe], capture_output=True, text=True, check=True)
    assert done.stderr == ""


def test_help_loads_no_heavy_library() -> None:
    script = (
        "import sys; from edge_runtime.cli.main import main; main(['--help']);"
        "print([m for m in ('numpy', 'cv2', 'fastapi', 'torch') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"
