"""``edge-runtime rules``: what the rules of the settings do, whether they can, and one by hand."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import click

from edge_runtime.app.intake import open_shelf
from edge_runtime.app.lineup import DETECTOR, Lineup
from edge_runtime.app.reactions import open_action
from edge_runtime.app.trial_firing import try_rule
from edge_runtime.cli.options import config_option, overrides, set_option
from edge_runtime.config import Config, load_config
from edge_runtime.config.problem import nearest
from edge_runtime.config.rule import RuleTable, WebhookTable
from edge_runtime.errors import ActionUnavailable, ConfigError, EdgeRuntimeError, ModelError
from edge_runtime.events.gpio import Pins
from edge_runtime.journal import set_up_logging

Settings = tuple[tuple[str, object], ...]


@click.group()
def rules() -> None:
    """Check the rules of the settings, or try one."""


@rules.command()
@config_option
@set_option
def check(config_file: Path | None, settings: Settings) -> None:
    """Say of each rule what it does, and whether all it needs is there; nothing is done.

    Exits with 5 if something is missing.
    """
    config = load_config(config_file, os.environ, overrides({}, settings))
    if not config.rule:
        click.echo("no rules: docs/events.md has some to begin with")
        return
    missing = 0
    labels = _labels(config)
    with Pins() as pins:
        for table in config.rule:
            try:
                with open_action(table, pins) as action:
                    click.echo(f"{_when(table)}: {action.description}")
            except EdgeRuntimeError as error:
                missing += 1
                click.echo(f"{_when(table)}: cannot be done", err=True)
                click.echo(f"  problem: {error}", err=True)
            for doubt in _doubts(table, labels):
                click.echo(f"  note: {doubt}", err=True)
    if missing:
        raise click.exceptions.Exit(ActionUnavailable.exit_code)


@rules.command("try")
@click.argument("name", metavar="RULE")
@config_option
@set_option
def try_(name: str, config_file: Path | None, settings: Settings) -> None:
    """Do what RULE says, now, with a made-up event; filters and quiet hours do not count."""
    config = load_config(config_file, os.environ, overrides({}, settings))
    set_up_logging("info", environ=os.environ)
    known = {table.name: table for table in config.rule}
    if name not in known:
        hint = nearest(name, known) if known else "; there are none"
        raise ConfigError(f"there is no rule {name!r}{hint}")
    firing = try_rule(known[name], config.cameras[0].name)
    click.echo(f'{name}: done, with {firing.event.kind} and "test": true')


def _when(table: RuleTable) -> str:
    """``bell: when face_came at front-door lasts 2 s, at most every 10 s``."""
    parts = [" or ".join(table.when)]
    parts += [f"{each}" for each in (table.model, table.label) if each is not None]
    text = f"{table.name}: when {' '.join(parts)}"
    if table.camera is not None:
        text += f" at {table.camera}"
    if table.min_score is not None:
        text += f" with a score of {table.min_score:g}"
    if table.for_s is not None:
        text += f" lasts {table.for_s:g} s"
    text += f", at most every {table.debounce_s:g} s"
    return text + (f", not {table.quiet_hours}" if table.quiet_hours is not None else "")


def _labels(config: Config) -> dict[str, tuple[str, ...]] | None:
    """By classifier that plays; None when that cannot be told."""
    try:
        models = Lineup(config, open_shelf(config)).all()
    except ModelError as error:
        click.echo(f"labels are not checked: {error}", err=True)
        return None
    classifiers = (model.manifest for role, model in models.items() if role != DETECTOR)
    return {manifest.name: tuple(manifest.labels) for manifest in classifiers}


def _doubts(table: RuleTable, labels: dict[str, tuple[str, ...]] | None) -> Iterator[str]:
    """What may be meant, but most often is not."""
    if labels is not None and table.model is not None and table.model not in labels:
        yield f"no classifier {table.model!r} is active{nearest(table.model, labels)}"
    elif labels is not None and table.label is not None:
        known = {label for name, those in labels.items() for label in those
                 if table.model in (None, name)}  # fmt: skip
        if table.label not in known:
            yield f"no active classifier says {table.label!r}{nearest(table.label, sorted(known))}"
    then = table.then
    if not isinstance(then, WebhookTable) or then.headers_file is None:
        return
    if then.webhook.startswith("http://"):
        yield "the secret of headers_file is sent without encryption: use https"
    if then.headers_file.exists() and then.headers_file.stat().st_mode & (
        stat.S_IRGRP | stat.S_IROTH
    ):
        yield f"others may read {then.headers_file}: chmod 600"
