"""The greeting is dropped; whatever else is said to stderr arrives."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from edge_runtime.engine.chatter import GREETINGS, without_greetings


def test_only_the_greeting_is_dropped(capfd: pytest.CaptureFixture[str]) -> None:
    with without_greetings():
        os.write(2, b"ERROR: something real\n" + GREETINGS[0] + b"\nand more\n")
    os.write(2, b"afterwards\n")
    assert capfd.readouterr().err == "ERROR: something real\nand more\nafterwards\n"


def test_an_error_in_the_block_loses_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="broken"):
        _speak_and_break()
    assert capfd.readouterr().err == "before the error\n"


def _speak_and_break() -> None:
    with without_greetings():
        os.write(2, b"before the error\n")
        raise ValueError("broken")


def test_opening_a_model_says_nothing(repository: Path) -> None:
    model = sorted((repository / "tests/engine/models").glob("*.tflite"))[0]
    script = f"from edge_runtime.engine.engine import open_engine; open_engine({str(model)!r})"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=repository, check=True
    )
    assert done.stderr == ""
