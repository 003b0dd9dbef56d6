"""Labels are read as written, and each mistake is one sentence with its line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from edge_runtime.bench.labels import read_labels
from edge_runtime.errors import SourceDamaged, SourceUnavailable
from edge_runtime.types import Box
from tests.bench.labelled import FACE, draw, label, write


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    draw(tmp_path / "a.png", FACE)
    draw(tmp_path / "b.png", None)
    return tmp_path


def test_boxes_and_paths_are_read(folder: Path) -> None:
    short = {"file": "b.png", "faces": []}
    one, two = read_labels(
        write(folder / "val.jsonl", label("a.png", FACE, ignore=[[1.5, 2, 3, 4]]), short)
    )
    assert (one.file, one.size) == (folder / "a.png", (320, 240))
    assert (one.faces, one.ignore) == ((FACE,), (Box(1.5, 2, 3, 4),))
    assert (two.faces, two.ignore, two.size) == ((), (), None)


def test_blank_lines_are_no_pictures(folder: Path) -> None:
    file = write(folder / "val.jsonl", label("a.png", FACE))
    file.write_text(f"\n{file.read_text()}\n \n")
    assert len(read_labels(file)) == 1


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "line 2 is no JSON: "),
        ("[1]", "line 2 names no picture"),
        ('{"faces": []}', "line 2 names no picture"),
        ('{"file": 7, "faces": []}', "line 2 names no picture"),
        ('{"file": "a.png"}', "line 2: faces is null, expected a list of [left, top, width"),
        ('{"file": "a.png", "faces": [[1, 2, 3]]}', "line 2: faces is [[1, 2, 3]], expected"),
        ('{"file": "a.png", "faces": [[1, 2, 0, 4]]}', "line 2: faces is [[1, 2, 0, 4]]"),
        ('{"file": "a.png", "faces": [[1, 2, 3, NaN]]}', "line 2: faces is "),
        ('{"file": "a.png", "faces": [], "ignore": 3}', "line 2: ignore is 3"),
        ('{"file": "a.png", "faces": [], "width": 9}', "width and height are 9 and None"),
    ],
)
def test_wrong_lines_are_named(folder: Path, line: str, said: str) -> None:
    file = folder / "val.jsonl"
    file.write_text(f"{json.dumps(label('a.png', FACE))}\n{line}\n")
    with pytest.raises(SourceDamaged) as error:
        read_labels(file)
    assert str(file) in str(error.value)
    assert said in str(error.value)


def test_missing_picture_is_named_with_its_line(folder: Path) -> None:
    file = write(folder / "val.jsonl", label("a.png", FACE), label("gone.png"))
    with pytest.raises(SourceUnavailable, match=r"val\.jsonl, line 2: there is no picture .*gone"):
        read_labels(file)


def test_missing_or_binary_file_is_named(folder: Path) -> None:
    with pytest.raises(SourceUnavailable, match=r"there is no file .*nowhere\.jsonl: expected"):
        read_labels(folder / "nowhere.jsonl")
    with pytest.raises(SourceUnavailable, match=r"a\.png cannot be read as text"):
        read_labels(folder / "a.png")


@pytest.mark.parametrize("labels", [[], [label("b.png")]])
def test_labels_without_a_face_are_refused(folder: Path, labels: list[dict[str, Any]]) -> None:
    with pytest.raises(SourceDamaged, match=rf"marks no face in {len(labels)} picture"):
        read_labels(write(folder / "val.jsonl", *labels))
