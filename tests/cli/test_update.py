"""``edge-runtime update`` as it is typed, up to where it becomes a program of its own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from edge_runtime.cli import update
from edge_runtime.cli.main import main
from edge_runtime.store.shelf.disk import SystemDisk
from edge_runtime.update.keep import Keep
from edge_runtime.update.record import Kept, Record, Step


class Became(BaseException):
    """Instead of another program."""


@pytest.fixture
def orders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the program is told; the settings are those of ``tmp_path``."""
    told: dict[str, Any] = {}

    def execv(python: str, words: tuple[str, ...]) -> None:
        assert words[:3] == (python, "-I", str(tmp_path / "update.pyz"))
        told.update(json.loads(words[3]))
        raise Became

    monkeypatch.setattr("os.execv", execv)
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr(update, "PROGRAM", tmp_path / "update.pyz")
    monkeypatch.setenv("EDGE_RUNTIME_CONFIG", str(tmp_path / "config.toml"))
    (tmp_path / "config.toml").write_text('[web]\nhost = "0.0.0.0"\nport = 8080\n')
    return told


def test_a_file_is_told_in_full(
    orders: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(Became):
        main(["update", "new.deb", "--sha256", "ab", "--within", "30"])
    assert orders == {
        "do": "install",
        "offered": str(tmp_path / "new.deb"),
        "sha256": "ab",
        "allow_downgrade": False,
        "allow_http": False,
        "within_s": 30.0,
        "page": "http://127.0.0.1:8080",
    }


def test_an_address_is_told_as_it_is(orders: dict[str, Any]) -> None:
    with pytest.raises(Became):
        main(["update", "https://example.org/new.deb"])
    assert orders["offered"] == "https://example.org/new.deb"


def test_where_there_is_no_page(orders: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("[web]\nenabled = false\n")
    with pytest.raises(Became):
        main(["update", "--rollback"])
    assert (orders["do"], orders["page"]) == ("roll back", None)


@pytest.mark.parametrize("words", [[], ["new.deb", "--status"], ["--rollback", "--resume"]])
def test_one_thing_at_a_time(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["update", *words]) == 2
    assert "expected one of: a package file" in capsys.readouterr().err


def test_without_root(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    monkeypatch.setattr("sys.argv", ["edge-runtime", "update", "new.deb"])
    assert main(["update", "new.deb"]) == 10
    assert "sudo edge-runtime update new.deb" in capsys.readouterr().err


OLD, NEW = Kept("old.deb", "1.0.0"), Kept("new.deb", "1.1.0")


@pytest.mark.parametrize(
    ("record", "code", "said"),
    [
        (Record(), 0, "no update was made here yet\n"),
        (
            Record(good=NEW, before=OLD, told="1.1.0 is installed"),
            0,
            "1.1.0 is installed\nkept: 1.0.0; sudo edge-runtime update --rollback\n",
        ),
        (
            Record(Step.WATCHING, good=OLD, trial=NEW),
            1,
            "watching: from 1.0.0 to 1.1.0\n"
            "where nothing is going on: sudo edge-runtime update --resume takes it back\n",
        ),
    ],
)
def test_how_it_went(
    record: Record,
    code: int,
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    keep = Keep(SystemDisk(), tmp_path / "kept")
    with keep.held():
        keep.write(record)
    monkeypatch.setattr(update, "Keep", lambda disk: keep)
    assert main(["update", "--status"]) == code
    assert capsys.readouterr().out == said
