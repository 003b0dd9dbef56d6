"""The rows of the big table are recipes; a row starts where the trained net is."""

from __future__ import annotations

from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("ai_edge_litert")
pytest.importorskip("flatbuffers")

from benchmarks.compression_table import SETTINGS, Bench, rows_of  # noqa: E402
from edge_runtime.compress.recipe import read_recipe  # noqa: E402

RECIPES = Path(__file__).resolve().parents[2] / "recipes"


@pytest.mark.parametrize("name", SETTINGS)
def test_every_row_is_a_recipe_that_begins_like_the_others(name: str, tmp_path: Path) -> None:
    bench = Bench(RECIPES / f"{name}.toml", tmp_path, tmp_path)
    begun = {
        read_recipe(bench.row(stages)).folder_names()[0]
        for stages in rows_of(SETTINGS[name], bench.teacher()).values()
    }
    assert len(begun) == 1
