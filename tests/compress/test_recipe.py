"""Recipes are read strictly: each mistake is one sentence that says what would be right."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from edge_runtime.compress.recipe import Recipe, read_recipe
from edge_runtime.compress.stage_options import STAGES, Prune, Quantize
from edge_runtime.errors import ConfigError

START = """
name = "tiny"
[model]
source = "edge_runtime.compress.lenet:lenet_5"
input = [1, 28, 28]
[data]
file = "digits/mnist.npz"
"""
PRUNE = '[[stage]]\ndo = "prune"\nsparsity = 0.5\n'
QUANTIZE = '[[stage]]\ndo = "quantize"\n'
EXPORT = '[[stage]]\ndo = "export"\n'
SHARE = '[[stage]]\ndo = "share"\n'


def read(tmp_path: Path, text: str) -> Recipe:
    file = tmp_path / "tiny.toml"
    file.write_text(text)
    return read_recipe(file)


def test_a_recipe_is_its_stages_with_defaults(tmp_path: Path) -> None:
    recipe = read(tmp_path, START + PRUNE + QUANTIZE)
    assert recipe.stages == (Prune(sparsity=0.5), Quantize())
    assert recipe.stages[0].key == "prune"
    assert recipe.seed == 1


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (START, r"tiny\.toml: there is no \[\[stage\]\]"),
        (PRUNE, r"the table \[model\] is missing"),
        ("nmae = 1\n" + START, "'nmae' is no key of a recipe; did you mean 'name'"),
        ("seed = true\n" + START + EXPORT, "seed is True, expected a number"),
        (START + '[[stage]]\ndo = "prun"\n', "stage 1: do = 'prun' is no stage; did you mean 'pru"),
        (
            START + PRUNE.replace("sparsity", "sparcity"),
            r"tiny\.toml: stage 1 \(prune\): 'sparcity' is no key here; did you mean 'sparsity'",
        ),
        (START + '[[stage]]\ndo = "prune"\n', r"stage 1 \(prune\): 'sparsity' is missing"),
        (START + PRUNE.replace("0.5", "1.5"), "sparsity: 1.5 is outside 0 to 0.9999"),
        (START + PRUNE.replace("0.5", '"much"'), "sparsity: 'much' is not a number"),
        (START + PRUNE + "scope = 'all'\n", "scope: 'all' is none of global, layer, lamp"),
        (
            START + QUANTIZE + 'scales = "tensor"\nto = "int4"\n',
            r"stage 1 \(quantize\): scales = 'tensor' is for int8 made from a net",
        ),
        (START + PRUNE + "layers = 'fc'\n", "layers: 'fc' is no list"),
        (START + PRUNE + "epochs = 1.5\n", "epochs: 1.5 is not a whole number"),
        (START + PRUNE, "no stage writes a file: end with export or quantize"),
        (START + '[[stage]]\ndo = "pack"\n', r"stage 1 \(pack\) works on a file"),
        (START + EXPORT + PRUNE, r"stage 2 \(prune\) works on a net"),
        (START + EXPORT + QUANTIZE, r"stage 2 \(quantize\) works on a net"),
        (
            START + SHARE + PRUNE + EXPORT,
            r"stage 2 \(prune\) would undo what stage 1 \(share\) did: put it before that",
        ),
        (START.partition("[data]")[0] + QUANTIZE, r"stage 1 \(quantize\) needs data"),
        (START + "source = 'a:b'\n" + EXPORT, "needs file or source, and not both"),
        ("name = [", "is no TOML"),
    ],
)
def test_mistakes_are_told(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        read(tmp_path, text)


def test_a_missing_recipe_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.toml cannot be read"):
        read_recipe(tmp_path / "nowhere.toml")


@pytest.mark.parametrize("file", ["float.tflite", "net.keras"])
def test_a_file_may_be_quantized_and_packed_but_not_trained(tmp_path: Path, file: str) -> None:
    start = START.replace("edge_runtime.compress.lenet:lenet_5", file)
    for stage in (QUANTIZE, EXPORT):
        assert read(tmp_path, start + stage + '[[stage]]\ndo = "pack"\n').model.is_tflite
    for stage in (PRUNE, QUANTIZE + EXPORT, QUANTIZE + "epochs = 2\n"):
        with pytest.raises(ConfigError, match="works on a net"):
            read(tmp_path, start + stage)


def test_a_changed_stage_renames_itself_and_all_after_it(tmp_path: Path) -> None:
    before = read(tmp_path, START + PRUNE + PRUNE + EXPORT).folder_names()
    changed = PRUNE.replace("0.5", "0.6")
    after = read(tmp_path, START + PRUNE + changed + EXPORT).folder_names()
    assert before[0] == after[0]
    assert before[1] != after[1]
    assert before[2] != after[2]


def test_shipped_recipes_make_sense(repository: Path) -> None:
    found = sorted((repository / "recipes").glob("*.toml"))
    assert found
    for file in found:
        assert read_recipe(file).stages


def test_every_stage_and_key_is_documented(repository: Path) -> None:
    text = (repository / "docs" / "compression.md").read_text()
    for key, kind in STAGES.items():
        assert f"`{key}`" in text, key
        for each in dataclasses.fields(kind):
            assert f"`{each.name}`" in text, f"{key}: {each.name}"
