"""``edge-runtime models``: which models there are, and what is inside one."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

import click

from edge_runtime.app.intake import open_shelf
from edge_runtime.cli import shelf
from edge_runtime.cli.options import config_option, overrides, set_option
from edge_runtime.config import load_config
from edge_runtime.engine.inspection import (
    Inspection,
    Latency,
    inspect_content,
    measure_latency,
)
from edge_runtime.engine.tensor import Tensor
from edge_runtime.errors import LibraryMissing, ModelMissing
from edge_runtime.store.catalogue import Catalogue, Holding, hold
from edge_runtime.store.manifest import FILE_NAME, read_manifest
from edge_runtime.store.model import Model, load_model
from edge_runtime.store.package import (
    SUFFIX,
    ModelFile,
    expand_file,
    is_model_file,
    read_tflite,
)
from edge_runtime.store.shelf.shelf import Shelf

RUNS: Final = 30
"""Invokes that the median latency is taken over."""

_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_dirs = click.option(
    "--models-dir",
    "models_dirs",
    metavar="FOLDER",
    multiple=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A folder of model folders, before the config's and the packaged; may be repeated.",
)


@click.group()
def models() -> None:
    """List models, look inside one, take new ones in, choose which one is active."""


for command in shelf.COMMANDS:
    models.add_command(command)


@models.command("list")
@config_option
@set_option
@_dirs
@_json
def list_models(
    config_file: Path | None,
    settings: tuple[tuple[str, object], ...],
    models_dirs: Sequence[Path],
    as_json: bool,
) -> None:
    """List every model folder, then what was taken in; broken ones with what is wrong."""
    config = load_config(config_file, os.environ, overrides({}, settings))
    kept = open_shelf(config)
    holdings = (*Catalogue((*models_dirs, *config.models.dirs)).holdings(), *_shelved(kept))
    usable = [holding.model for holding in holdings if holding.model]
    broken = {str(holding.folder): str(holding.problem) for holding in holdings if holding.problem}
    roles = _roles(kept)
    if as_json:
        listed = [_summary(m) | {"role": roles.get(m.folder)} for m in usable]
        click.echo(json.dumps({"models": listed, "broken": broken}, indent=2))
        return
    head = ("name", "version", "kind", "input", "bytes", "package", "where", "active as")
    rows = ((*_row(model), roles.get(model.folder, "")) for model in usable)
    for line in _aligned([head, *rows]):
        click.echo(line)
    for problem in broken.values():
        click.echo(f"broken: {problem}", err=True)


@models.command("inspect")
@click.argument("name", metavar="NAME|PATH")
@config_option
@_dirs
@click.option("--threads", type=click.IntRange(1, 64), default=1, show_default=True)
@_json
def inspect_model(
    name: str, config_file: Path | None, models_dirs: Sequence[Path], threads: int, as_json: bool
) -> None:
    """Show what goes into a model, what comes out, what it weighs and how long it takes here.

    NAME is a model's name; PATH its folder or a .tflite file or package, which needs no manifest.
    """
    model = _model(name, _catalogue(config_file, models_dirs))
    file = model.file if model else read_tflite(Path(name))
    inspection = inspect_content(file.tflite, file.path)
    latency, problem = _latency(file, threads)
    if as_json:
        click.echo(json.dumps(_json_of(model, file, inspection, latency), indent=2))
        return
    for line in _report(model, file, inspection, _latency_text(latency, problem)):
        click.echo(line)


@models.command("expand")
@click.argument("package", metavar="FILE", type=click.Path(path_type=Path))
@click.option(
    "--output",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where the .tflite goes; beside the package by default.",
)
def expand_package(package: Path, output: Path | None) -> None:
    """Write the .tflite of a .tflite.edge package; a file that is there already is replaced.

    Only to look inside: the runtime expands packages by itself, in memory.
    """
    if output is None and not package.name.endswith(SUFFIX):
        raise click.UsageError(f"{package} does not end in {SUFFIX}: say --output FILE")
    target = output or package.with_suffix("")
    read = expand_file(package, target)
    click.echo(f"{target}: {len(read.tflite):,} bytes, from a package of {read.package_bytes:,}")


def _shelved(kept: Shelf) -> Iterable[Holding]:
    """Every version of every model that was taken in."""
    return (hold(each.folder) for name in kept.names() for each in kept.versions(name))


def _roles(kept: Shelf) -> dict[Path, str]:
    """By folder, the role of each version that is active."""
    active = {role: kept.active(role) for role in kept.choices()}
    return {kept.folder(v): role for role, v in active.items() if v and v.digest}


def _catalogue(config_file: Path | None, models_dirs: Sequence[Path]) -> Catalogue:
    config = load_config(config_file, os.environ, {})
    return Catalogue((*models_dirs, *config.models.dirs))


def _model(name: str, catalogue: Catalogue) -> Model | None:
    """The model, or None for a model file that no manifest beside it describes."""
    path = Path(name)
    if not is_model_file(path):
        return catalogue.find(name)
    if not path.exists():
        raise ModelMissing(f"there is no model file {path}")
    beside = path.parent / FILE_NAME
    described = beside.exists() and read_manifest(beside).model == path.name
    return load_model(path.parent) if described else None


def _latency(file: ModelFile, threads: int) -> tuple[Latency | None, str]:
    """The latency, or why there is none: the file can be inspected without an interpreter."""
    try:
        name = str(file.path)
        return measure_latency(file.tflite, name=name, runs=RUNS, threads=threads), ""
    except LibraryMissing as error:
        return None, str(error)


def _row(model: Model) -> tuple[str, ...]:
    manifest = model.manifest
    spec = manifest.input
    return (
        manifest.name,
        manifest.version,
        manifest.kind,
        f"{spec.width}x{spec.height} {spec.color}",
        str(model.bytes),
        str(model.file.package_bytes or "-"),
        str(model.folder),
    )


def _aligned(rows: Sequence[Sequence[str]]) -> Iterable[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()


def _summary(model: Model) -> dict[str, Any]:
    manifest = model.manifest
    return {
        "name": manifest.name,
        "version": manifest.version,
        "kind": manifest.kind,
        "licence": manifest.licence,
        "description": manifest.description,
        "width": manifest.input.width,
        "height": manifest.input.height,
        "color": manifest.input.color,
        "labels": list(manifest.labels),
        "bytes": model.bytes,
        "package_bytes": model.file.package_bytes,
        "sha256": model.sha256,
        "folder": str(model.folder),
    }


def _json_of(
    model: Model | None, file: ModelFile, inspection: Inspection, latency: Latency | None
) -> dict[str, Any]:
    measured = latency and {
        "median_ms": round(latency.median_ms, 4),
        "runs": latency.runs,
        "backend": latency.backend,
        "threads": latency.threads,
    }
    about = {"model": _summary(model) if model else None}
    apart = {"package_bytes": file.package_bytes, "latency": measured}
    return about | inspection.as_json() | apart


def _report(
    model: Model | None, file: ModelFile, inspection: Inspection, latency: str
) -> Iterable[str]:
    if model:
        manifest = model.manifest
        yield f"{manifest.name} {manifest.version}, {manifest.kind}, {manifest.licence}"
        if manifest.description:
            yield manifest.description
    facts = (
        ("file", str(inspection.path)),
        ("sha256", inspection.sha256),
        ("bytes", f"{inspection.bytes:,}"),
        *([("package", f"{file.package_bytes:,} bytes")] if file.package_bytes else []),
        ("parameters", f"{inspection.cost.parameters:,}"),
        ("MACs", _macs(inspection)),
        ("latency", latency),
        *(("input", _named(tensor)) for tensor in inspection.inputs),
        *(("output", _named(tensor)) for tensor in inspection.outputs),
        *(("operator", f"{name} × {count}") for name, count in inspection.operators.items()),
    )
    yield from _aligned(facts)


def _named(tensor: Tensor) -> str:
    return f"{tensor.name}: {tensor}" if tensor.name else str(tensor)


def _macs(inspection: Inspection) -> str:
    cost = inspection.cost
    if cost.macs is None:
        return "unknown (a shape is only known at run time)"
    text = f"{cost.macs:,}"
    return text + (f", unknown for {', '.join(cost.uncounted)}" if cost.uncounted else "")


def _latency_text(latency: Latency | None, problem: str) -> str:
    if latency is None:
        return f"unknown ({problem})"
    return (
        f"{latency.median_ms:.3f} ms, median of {latency.runs} runs in {latency.backend} "
        f"with {latency.threads} thread(s)"
    )
