"""``edge-runtime token new|list|revoke``: who may open the page from elsewhere.

A running service follows what is made and revoked here within a second.
"""

from __future__ import annotations

import json
import os
import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import click

from edge_runtime.cli.options import (
    config_option,
    environment,
    overrides,
    service_option,
    set_option,
)
from edge_runtime.config import Config, load_config
from edge_runtime.qr import drawn
from edge_runtime.web.door import open_door
from edge_runtime.web.tokens import TOKEN_FILE, Token, TokenFile, TokenScope, utc_now

Settings = tuple[tuple[str, object], ...]
_SCOPES = [scope.word for scope in TokenScope]


_UNITS: Final = {"d": "days", "h": "hours", "m": "minutes"}
_LONGEST: Final = timedelta(days=36_500)


class Lifetime(click.ParamType[timedelta]):
    """``30d``, ``12h`` or ``15m``."""

    name = "lifetime"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> timedelta:
        found = re.fullmatch(r"(\d{1,8})([dhm])", str(value).strip())
        lives = timedelta(**{_UNITS[found[2]]: int(found[1])}) if found else timedelta()
        if not timedelta() < lives <= _LONGEST:
            self.fail(
                f"{value!r} is no lifetime: a whole number and d, h or m, such as 30d, 12h or 15m "
                "(at most a century)",
                param,
                ctx,
            )
        return lives


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
@click.option(
    "--expires",
    "lives",
    metavar="LIFETIME",
    type=Lifetime(),
    help="How long it opens anything: `30d`, `12h` or `15m`; otherwise until it is revoked.",
)
@click.option("--qr", is_flag=True, help="Print the link as a QR code for a phone too.")
@service_option
@config_option
@set_option
def new(
    *,
    scope: str,
    name: str | None,
    lives: timedelta | None,
    qr: bool,
    of_service: bool,
    config_file: Path | None,
    settings: Settings,
) -> None:
    """Make a token and print it: it is not kept and cannot be shown again."""
    config = _config(config_file, settings, of_service)
    kept, secret = _file(config).make(TokenScope[scope.upper()], name, lives)
    click.echo(secret)
    until = f" and holds until {kept.expires}" if kept.expires else ""
    click.echo(f"This token, {kept.name!r}, is shown once{until}. In a browser open", err=True)
    link = f"{_link(config)}login#{secret}"
    click.echo(f"  {link}", err=True)
    if qr:
        click.echo(drawn(link), err=True)
    click.echo("and programs send the header  Authorization: Bearer TOKEN", err=True)


@token.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@service_option
@config_option
@set_option
def list_(*, as_json: bool, of_service: bool, config_file: Path | None, settings: Settings) -> None:
    """Print name, scope, time of making and of expiry of each token; never the token."""
    tokens, now = _file(_config(config_file, settings, of_service)).read(), utc_now()
    if as_json:
        click.echo(json.dumps([_row(each, now) for each in tokens]))
        return
    width = max((len(each.name) for each in tokens), default=0)
    for each in tokens:
        click.echo(f"{each.name:<{width}}  {each.scope.word:<5}  {each.made}  {_end(each, now)}")


@token.command()
@click.argument("name")
@service_option
@config_option
@set_option
def revoke(*, name: str, of_service: bool, config_file: Path | None, settings: Settings) -> None:
    """Let the token NAME open nothing any more, also where somebody is inside with it."""
    gone = _file(_config(config_file, settings, of_service)).revoke(name)
    click.echo(f"revoked {gone.name} ({gone.scope.word})", err=True)


def _row(token: Token, now: datetime) -> dict[str, object]:
    return {
        "name": token.name,
        "scope": token.scope.word,
        "made": token.made,
        "expires": token.expires,
        "expired": token.expired(now),
    }


def _end(token: Token, now: datetime) -> str:
    if token.expires is None:
        return "until revoked"
    return f"{'expired at' if token.expired(now) else 'until'} {token.expires}"


def _config(config_file: Path | None, settings: Settings, of_service: bool) -> Config:
    environ = environment(os.environ, of_service=of_service)
    return load_config(config_file, environ, overrides({}, settings))


def _file(config: Config) -> TokenFile:
    return TokenFile(config.state_dir / TOKEN_FILE)


def _link(config: Config) -> str:
    # After a token was made the door of these settings can be opened.
    door = open_door(config.web.host, state_dir=config.state_dir)
    return door.url(config.web.port, encrypted=config.web.tls_cert is not None)
