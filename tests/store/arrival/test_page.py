"""docs/drop-in.md names every sentence with which reading a drop can end, and every number."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_runtime.store.arrival.contents import Limits
from edge_runtime.store.arrival.labels import MOST_BYTES, MOST_LABELS
from edge_runtime.store.arrival.names import UNFINISHED
from edge_runtime.store.arrival.settler import Patience

REFUSALS = {"ModelRejected", "ManifestInvalid", "ModelMissing", "_wrong"}
SHORTEST = 10
"""Letters: shorter pieces such as `` holds `` say nothing."""


@pytest.fixture(scope="module")
def page(repository: Path) -> str:
    text = (repository / "docs" / "drop-in.md").read_text()
    return " ".join(text.replace("*", "").replace("`", "").split())


def pieces(folder: Path) -> Iterator[tuple[str, str]]:
    """What stands between the blanks of each refusal, with its file."""
    for file in sorted(folder.glob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in REFUSALS:
                for part in ast.walk(node):
                    if isinstance(part, ast.JoinedStr):
                        texts = (each for each in part.values if isinstance(each, ast.Constant))
                        yield from ((file.name, str(each.value)) for each in texts)


def test_every_sentence_is_on_the_page(repository: Path, page: str) -> None:
    found = list(pieces(repository / "edge_runtime" / "store" / "arrival"))
    assert len(found) > 50
    missing = [
        (file, text)
        for file, text in found
        if len(text.strip(" '(:;,)")) >= SHORTEST and text.strip(" '(:;,)") not in page
    ]
    assert missing == []


def test_every_number_and_name_is_on_the_page(page: str) -> None:
    patience, limits = Patience(), Limits()
    for name in ("settle", "unsure", "labels", "model"):
        assert f"| {name} | {getattr(patience, f'{name}_s'):g} |" in page
    said = f"at most {limits.bytes >> 20} MiB in at most {limits.entries} files and folders"
    assert f"{said}, {limits.depth} folders deep" in page
    assert f"expand to {limits.ratio} times its size" in page
    assert f"at most {MOST_LABELS:,} lines and {MOST_BYTES >> 10} KiB" in page
    assert [end for end in UNFINISHED if end not in page] == []
