"""``edge-runtime compress``: makes a model small by a recipe."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

from edge_runtime.errors import LibraryMissing


@click.command()
@click.argument("recipe_file", metavar="RECIPE.toml", type=click.Path(path_type=Path))
@click.option("--data", type=click.Path(path_type=Path), help="The folder of the training data.")
@click.option("--out", type=click.Path(path_type=Path), help="Where the model goes.")
@click.option("--work", type=click.Path(path_type=Path), help="Where finished stages are kept.")
@click.option("--threads", type=click.IntRange(min=1), default=1, show_default=True)
@click.option("--check", is_flag=True, help="Only read the recipe and say whether it makes sense.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def compress(
    recipe_file: Path,
    data: Path | None,
    out: Path | None,
    work: Path | None,
    threads: int,
    check: bool,
    as_json: bool,
) -> None:
    """Make a model small: run a recipe's stages, or go on where it was stopped."""
    compression, recipe, progress = _room()
    found = recipe.read_recipe(recipe_file)
    if check:
        click.echo(f"{recipe_file} makes sense: {' -> '.join(s.key for s in found.stages)}")
        return
    compression.use_threads(threads)
    bar = progress.Progress(
        compression.units_of(found),
        write=lambda text: click.echo(text, nl=False, err=True),
        redraw=sys.stderr.isatty(),
    )
    build = Path("build") / "compress" / found.name
    folder = out or build / "model"
    report = compression.Compression(
        recipe=found, data=data, work=work or build / "work", out=folder, progress=bar
    ).run()
    click.echo(json.dumps(report, indent=2) if as_json else f"{folder / 'report.html'}")


def _room() -> tuple[Any, Any, Any]:
    """The modules of the extra. Raises LibraryMissing."""
    try:
        from edge_runtime.compress import compression, progress, recipe
    except ImportError as error:
        raise LibraryMissing(
            f"compressing needs the extra: pip install 'edge-runtime[compress]' ({error})"
        ) from None
    return compression, recipe, progress
