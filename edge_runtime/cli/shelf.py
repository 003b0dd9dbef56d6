"""``edge-runtime models add|validate|activate|rollback|remove|history``: the shelf of models.

A running service follows what is chosen here within a second.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import click

from edge_runtime.app.intake import open_shelf
from edge_runtime.app.lineup import CLASSIFIER, DETECTOR, Lineup, role_of
from edge_runtime.app.supply import open_desk
from edge_runtime.cli.options import config_option, overrides, set_option
from edge_runtime.config import load_config
from edge_runtime.errors import ModelRejected
from edge_runtime.store.desk import Desk, Examined
from edge_runtime.store.shelf.activation import Activation
from edge_runtime.store.shelf.shelf import Shelf
from edge_runtime.store.shelf.version import Version

WHO: Final = "command line"

_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_why = click.option("--why", default="by hand", show_default=True, help="For the history.")
_file = click.argument("file", metavar="FILE", type=click.Path(exists=True, path_type=Path))
_labels = click.option(
    "--labels",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A label file, one label a line.",
)


@dataclass(frozen=True, slots=True)
class _Room:
    """What the settings open."""

    shelf: Shelf
    desk: Desk
    lineup: Lineup


def _room(config_file: Path | None, settings: tuple[tuple[str, object], ...]) -> _Room:
    config = load_config(config_file, os.environ, overrides({}, settings))
    shelf = open_shelf(config)
    return _Room(shelf, open_desk(config, shelf), Lineup(config, shelf))


Settings = tuple[tuple[str, object], ...]


@click.command("add")
@_file
@_labels
@click.option("--activate", "at_once", is_flag=True, help="Let it be active at once.")
@_why
@config_option
@set_option
def add(
    file: Path,
    labels: Path | None,
    at_once: bool,
    why: str,
    config_file: Path | None,
    settings: Settings,
) -> None:
    """Try a model and put it on the shelf: a .tflite, a package, a zip or a folder.

    The file stays where it is.
    """
    room = _room(config_file, settings)
    version, manifest = room.desk.take_in(file, labels)
    click.echo(f"{version} is on the shelf")
    if at_once:
        role = role_of(manifest)
        room.shelf.activate(role, version, who=WHO, why=why)
        click.echo(f"{version} is active as {role}")


@click.command("validate")
@_file
@_labels
@config_option
@set_option
@_json
def validate(
    file: Path,
    labels: Path | None,
    config_file: Path | None,
    settings: Settings,
    as_json: bool,
) -> None:
    """Say what a file is and whether it would be taken in; nothing is kept."""
    examined = _room(config_file, settings).desk.examine(file, labels)
    if as_json:
        click.echo(json.dumps(_examined_json(examined), indent=2))
    else:
        click.echo(_examined_text(examined))
    if not examined.verdict.ok:
        raise ModelRejected(examined.verdict.reason)


@click.command("activate")
@click.argument("name", metavar="NAME[/DIGITS]")
@_why
@config_option
@set_option
def activate(name: str, why: str, config_file: Path | None, settings: Settings) -> None:
    """Let a model be active: the latest version of NAME, or the one whose DIGITS are given."""
    room = _room(config_file, settings)
    role, version = room.lineup.named(name)
    room.shelf.activate(role, version, who=WHO, why=why)
    click.echo(f"{version} is active as {role}")


@click.command("rollback")
@click.argument("role", metavar="ROLE|NAME")
@_why
@config_option
@set_option
def rollback(role: str, why: str, config_file: Path | None, settings: Settings) -> None:
    """Let what was active before be active again, as `detector` or as the classifier NAME."""
    shelf = _room(config_file, settings).shelf
    role = role if role == DETECTOR or role.startswith(CLASSIFIER) else CLASSIFIER + role
    before = shelf.roll_back(role, who=WHO, why=why)
    click.echo(f"{before or 'what the settings name'} is active as {role}")


@click.command("remove")
@click.argument("version", metavar="NAME/DIGITS")
@config_option
@set_option
def remove(version: str, config_file: Path | None, settings: Settings) -> None:
    """Take a version that is not active off the shelf."""
    room = _room(config_file, settings)
    kept = room.lineup.kept(version)
    room.shelf.remove(kept)
    click.echo(f"{kept} is off the shelf")


@click.command("history")
@config_option
@set_option
@_json
def history(config_file: Path | None, settings: Settings, as_json: bool) -> None:
    """Print every activation: when, what, by whom, why, and what came of it."""
    for each in _room(config_file, settings).shelf.history():
        click.echo(each.to_json() if as_json else _line(each))


COMMANDS: Final = (add, validate, activate, rollback, remove, history)


def _line(made: Activation) -> str:
    when = datetime.fromtimestamp(made.at, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
    what: Version | str = made.version or "what the settings name"
    return f"{when}  {made.role}  {what}  {made.result}  by {made.who}: {made.why}"


def _examined_json(examined: Examined) -> dict[str, object]:
    manifest = json.loads(examined.files["manifest.json"])
    return {"origin": examined.origin, "manifest": manifest} | examined.verdict.as_json()


def _examined_text(examined: Examined) -> str:
    manifest, figures = examined.manifest, examined.verdict.figures
    spec = manifest.input
    lines = [
        f"{manifest.name} {manifest.version}: {manifest.kind}, {spec.width}x{spec.height} "
        f"{spec.color}, from {examined.origin}",
        *([f"labels: {', '.join(manifest.labels)}"] if manifest.labels else []),
    ]
    if figures is not None:
        lines.append(
            f"{figures.median_ms:.3f} ms, median of {figures.runs} runs in {figures.backend}; "
            f"{figures.memory_mb:.1f} MiB"
        )
    return "\n".join([*lines, examined.verdict.reason])
