"""A recipe: one TOML file that says how a model is made small. All keys: docs/compression.md."""

from __future__ import annotations

import dataclasses
import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from edge_runtime.compress.stage_options import STAGES, WRITERS, Quantize, StageOptions, epochs_of
from edge_runtime.compress.tables import nearest, ranged, read_table
from edge_runtime.errors import ConfigError

TABLES = ("name", "description", "notes", "seed", "model", "data", "report", "manifest", "stage")


@dataclass(frozen=True, kw_only=True)
class ModelTable:
    """``[model]``: where the net comes from."""

    source: str
    """``module:factory`` (torch), or a file: .onnx, .tflite, .keras."""
    input: tuple[int, ...] = ()
    """One input's shape without the batch, channels first: [1, 28, 28]. Files know their own."""
    weights: str | None = None
    """A state_dict for the torch net, beside the recipe."""

    @property
    def is_tflite(self) -> bool:
        """True for what comes as a float .tflite, or is made one when it is opened."""
        return self.source.endswith((".tflite", ".keras"))


@dataclass(frozen=True, kw_only=True)
class DataTable:
    """``[data]``: what is learnt from; files lie in the folder that ``--data`` names."""

    file: str | None = None
    """An .npz with x_train, y_train, x_test, y_test."""
    divisor: float = ranged(1e-9, 1e9, 255.0)
    """Inputs of the file are divided by this."""
    source: str | None = None
    """``module:factory``, called with the folder, returns Samples."""


@dataclass(frozen=True, kw_only=True)
class ReportTable:
    """``[report]``: what is measured."""

    every_stage: bool = True
    """A .tflite is made and measured after every stage, not only after the last."""
    runs: int = ranged(10, 1_000_000, 200)
    measure: str | None = None
    """``module:function`` of answers and labels (see measure.py); accuracy without it."""
    exam: int = ranged(1, 10_000_000, 10_000)
    """Most held inputs a .tflite is examined on."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A recipe that was read and makes sense."""

    name: str
    description: str
    notes: str
    """Markdown for the model's card, from the file beside the recipe that the key names."""
    seed: int
    model: ModelTable
    data: DataTable | None
    report: ReportTable
    manifest: Mapping[str, Any] = field(default_factory=dict)
    stages: tuple[StageOptions, ...]
    file: Path
    text: str

    def folder_names(self) -> tuple[str, ...]:
        """One for each stage; a change changes the names of that stage and of all after it."""
        digest = hashlib.sha256(repr((self.seed, self.model, self.data)).encode())
        names = []
        for number, stage in enumerate(self.stages, 1):
            digest.update(repr(stage).encode())
            names.append(f"{number:02d}-{stage.key}-{digest.hexdigest()[:10]}")
        return tuple(names)


def read_recipe(file: Path) -> Recipe:
    """Read and check a recipe. Raises ConfigError naming file, place, key and what is near."""
    try:
        text = file.read_text("utf-8")
        tables = tomllib.loads(text)
    except OSError as error:
        raise ConfigError(f"recipe {file} cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"recipe {file} is no TOML: {error}") from None
    for key in tables:
        if key not in TABLES:
            _refuse(file, f"{key!r} is no key of a recipe{nearest(key, TABLES)}")
    recipe = _recipe(file, text, tables)
    _check_order(recipe)
    _check_data(recipe)
    return recipe


def _recipe(file: Path, text: str, tables: dict[str, Any]) -> Recipe:
    data = tables.get("data")
    return Recipe(
        name=_plain(file, tables, "name", str, file.stem),
        description=_plain(file, tables, "description", str, ""),
        notes=_notes(file, _plain(file, tables, "notes", str, "")),
        seed=_plain(file, tables, "seed", int, 1),
        model=read_table(ModelTable, _table(file, tables, "model"), f"{file}: [model]"),
        data=None if data is None else read_table(DataTable, data, f"{file}: [data]"),
        report=read_table(ReportTable, tables.get("report", {}), f"{file}: [report]"),
        manifest=tables.get("manifest", {}),
        stages=_stages(file, tables.get("stage")),
        file=file,
        text=text,
    )


def _notes(recipe: Path, name: str) -> str:
    try:
        return (recipe.parent / name).read_text("utf-8") if name else ""
    except (OSError, UnicodeDecodeError) as error:
        _refuse(recipe, f"notes = {name!r} cannot be read beside the recipe: {error}")


def _plain(file: Path, tables: dict[str, Any], key: str, kind: type[Any], default: Any) -> Any:
    value = tables.get(key, default)
    if type(value) is not kind:
        _refuse(file, f"{key} is {value!r}, expected {'a text' if kind is str else 'a number'}")
    return value


def _table(file: Path, tables: dict[str, Any], key: str) -> dict[str, Any]:
    if not isinstance(tables.get(key), dict):
        _refuse(file, f"the table [{key}] is missing")
    table: dict[str, Any] = tables[key]
    return table


def _stages(file: Path, found: Any) -> tuple[StageOptions, ...]:
    if not isinstance(found, list) or not found:
        _refuse(file, "there is no [[stage]], expected at least one")
    return tuple(_stage(file, number, dict(table)) for number, table in enumerate(found, 1))


def _stage(file: Path, number: int, table: dict[str, Any]) -> StageOptions:
    key = table.pop("do", None)
    if key not in STAGES:
        _refuse(file, f"stage {number}: do = {key!r} is no stage{nearest(str(key), STAGES)}")
    return read_table(STAGES[key], table, f"{file}: stage {number} ({key})")


def _check_order(recipe: Recipe) -> None:
    """Nets first, then one writer, then what works on files; levels are not trained away."""
    has_file, levels = recipe.model.is_tflite, ""
    for number, stage in enumerate(recipe.stages, 1):
        here = f"stage {number} ({stage.key})"
        if stage.takes_file and not has_file:
            _refuse(recipe.file, f"{here} works on a file: put an export or quantize stage before")
        if has_file and not stage.takes_file and not _takes_in_file(recipe, stage):
            _refuse(recipe.file, f"{here} works on a net, but there is only a .tflite by then")
        if isinstance(stage, Quantize) and not stage.scales_fit(has_file):
            _refuse(recipe.file, f"{here}: scales = {stage.scales!r} is for int8 made from a net")
        if levels and stage.spoils_levels:
            _refuse(recipe.file, f"{here} would undo what {levels} did: put it before that")
        has_file = has_file or isinstance(stage, WRITERS)
        levels = here if stage.leaves_levels else levels
    if not has_file:
        _refuse(recipe.file, "no stage writes a file: end with export or quantize")


def _takes_in_file(recipe: Recipe, stage: StageOptions) -> bool:
    """A float .tflite that came as one may be exported or quantized, without training."""
    first = recipe.stages[0] is stage
    return recipe.model.is_tflite and first and isinstance(stage, WRITERS) and not epochs_of(stage)


def _check_data(recipe: Recipe) -> None:
    """What trains or calibrates has something to do it with."""
    if recipe.data is not None:
        if (recipe.data.file is None) == (recipe.data.source is None):
            _refuse(recipe.file, "[data] needs file or source, and not both")
        return
    for number, stage in enumerate(recipe.stages, 1):
        if epochs_of(stage) or (isinstance(stage, Quantize) and stage.to == "int8"):
            _refuse(recipe.file, f"stage {number} ({stage.key}) needs data: add a table [data]")


def stage_json(stage: StageOptions) -> dict[str, Any]:
    """A stage with all its keys, defaults included."""
    return {"do": stage.key, **dataclasses.asdict(stage)}


def _refuse(file: Path, problem: str) -> NoReturn:
    raise ConfigError(f"{file}: {problem}")
