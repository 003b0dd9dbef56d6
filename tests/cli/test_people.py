"""The command ``people``, as a person types it."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from edge_runtime.app.recognition import compared_model, open_register
from edge_runtime.cli.people import people
from edge_runtime.config import load_config
from edge_runtime.errors import (
    EdgeRuntimeError,
    OutputUnwritable,
    PersonMissing,
    SourceUnavailable,
    TemplatesInvalid,
)
from edge_runtime.people.template import Template


@pytest.fixture
def enrolled(tmp_path: Path) -> Path:
    """A state folder with Ann in it."""
    config = load_config(None, {}, {"state_dir": str(tmp_path)})
    vector = np.full(128, 1 / np.sqrt(128), np.float32)
    open_register(config, None).add("Ann", [Template(vector, compared_model(config))])
    return tmp_path


def say(folder: Path, *words: str) -> Result:
    done = CliRunner().invoke(people, [*words, "--set", f'state_dir="{folder}"'])
    if isinstance(done.exception, EdgeRuntimeError):
        raise done.exception
    return done


def test_who_is_enrolled_is_listed(enrolled: Path, tmp_path: Path) -> None:
    assert "Ann  1 view  since" in say(enrolled, "list").stdout
    assert "recognition is switched off" in say(enrolled, "list").stderr
    (one,) = json.loads(say(enrolled, "list", "--json").stdout)
    assert (one["name"], one["views"], one["outdated"]) == ("Ann", 1, False)
    assert "nobody is enrolled" in say(tmp_path / "empty", "list").stderr


def test_renaming_and_forgetting(enrolled: Path) -> None:
    assert say(enrolled, "rename", "ann", "Anna").stdout == "ann is Anna now\n"
    assert say(enrolled, "remove", "Anna").stdout == "Anna is forgotten\n"
    with pytest.raises(PersonMissing, match="nobody is enrolled as Anna"):
        say(enrolled, "remove", "Anna")


def test_an_export_is_private_is_not_overwritten_and_can_be_taken_in(
    enrolled: Path, tmp_path: Path
) -> None:
    file = tmp_path / "all.people"
    say(enrolled, "export", str(file))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with pytest.raises(OutputUnwritable, match="is there already"):
        say(enrolled, "export", str(file))
    assert say(tmp_path / "other", "import", str(file)).stdout == "taken in: Ann\n"


def test_what_is_no_export_is_refused(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("Dear all")
    with pytest.raises(TemplatesInvalid, match=r"letter\.txt is no file of people"):
        say(tmp_path, "import", str(tmp_path / "letter.txt"))
    with pytest.raises(SourceUnavailable, match="cannot be read"):
        say(tmp_path, "import", str(tmp_path / "missing"))


def test_consent_comes_before_anything_is_looked_at(tmp_path: Path) -> None:
    with pytest.raises(SourceUnavailable, match="does not exist"):
        say(tmp_path, "add", "Ann", str(tmp_path / "missing.jpg"))
