"""``edge-runtime token new|list|revoke``: who may open the page from elsewhere.

A running service follows what is made and revoked here within a second.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import click

from edge_runtime.cli.options import config_option, overrides, set_option
from edge_runtime.config import Config, load_config
from edge_runtime.web.door import open_door
from edge_runtime.web.tokens import TOKEN_FILE, TokenFile, TokenScope

Settings = tuple[tuple[str, object], ...]
_SCOPES = [scope.word for scope in TokenScope]


@click.group()
def token() -> None:
    """Make, list and revoke tokens; the service follows within a second."""


@token.command()
@click.option(
    "--scope",
    type=click.Choice(_SCOPES),
    default=TokenScope.VIEW.word,
    show_default=True,
    help="`stats`: figures; `view`: pictures too; `admin`: changes too.",
)
@click.option("--name", metavar="NAME", help="What to call it; otherwise its scope and a number.")
@config_option
@set_option
def new(*, scope: str, name: str | None, config_file: Path | None, settings: Settings) -> None:
    """Make a token and print it: it is not kept and cannot be shown again."""
    config = _config(config_file, settings)
    kept, secret = _file(config).make(TokenScope[scope.upper()], name)
    click.echo(secret)
    click.echo(f"This token, {kept.name!r}, is shown once. In a browser open", err=True)
    click.echo(f"  {_link(config)}login#{secret}", err=True)
    click.echo("and programs send the header  Authorization: Bearer TOKEN", err=True)


@token.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@config_option
@set_option
def list_(*, as_json: bool, config_file: Path | None, settings: Settings) -> None:
    """Print name, scope and time of making of each token; never the token."""
    tokens = _file(_config(config_file, settings)).read()
    rows = [{"name": each.name, "scope": each.scope.word, "made": each.made} for each in tokens]
    if as_json:
        click.echo(json.dumps(rows))
        return
    width = max((len(row["name"]) for row in rows), default=0)
    for row in rows:
        click.echo(f"{row['name']:<{width}}  {row['scope']:<5}  {row['made']}")


@token.command()
@click.argument("name")
@config_option
@set_option
def revoke(*, name: str, config_file: Path | None, settings: Settings) -> None:
    """Let the token NAME open nothing any more, also where somebody is inside with it."""
    gone = _file(_config(config_file, settings)).revoke(name)
    click.echo(f"revoked {gone.name} ({gone.scope.word})", err=True)


def _config(config_file: Path | None, settings: Settings) -> Config:
    return load_config(config_file, os.environ, overrides({}, settings))


def _file(config: Config) -> TokenFile:
    return TokenFile(config.state_dir / TOKEN_FILE)


def _link(config: Config) -> str:
    # After a token was made the door of these settings can be opened.
    door = open_door(config.web.host, state_dir=config.state_dir)
    return door.url(config.web.port, encrypted=config.web.tls_cert is not None)
