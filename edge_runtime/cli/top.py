"""``edge-runtime top``: the page's numbers in a terminal, of a runtime here or elsewhere."""

from __future__ import annotations

import os
import time
from pathlib import Path

import click

from edge_runtime.cli.options import config_option
from edge_runtime.client import Client
from edge_runtime.config import read_config
from edge_runtime.errors import ConfigError, LibraryMissing

TOKEN_VARIABLE = "EDGE_RUNTIME_TOKEN"  # noqa: S105 - a name, no secret


@click.command()
@click.option(
    "--url",
    envvar="EDGE_RUNTIME_URL",
    metavar="URL",
    help="Whom to ask, such as http://pi.local:8000; otherwise the runtime of this machine.",
)
@click.option(
    "--token",
    envvar=TOKEN_VARIABLE,
    metavar="TOKEN",
    help=f"Better in the variable {TOKEN_VARIABLE} or a file: others see what commands are given.",
)
@click.option(
    "--token-file",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="A file that holds the token, - for the standard input.",
)
@click.option(
    "--ca",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="The certificate to trust, as PEM, where the runtime made its own.",
)
@click.option("--insecure", is_flag=True, help="Trust any certificate.")
@click.option("--once", is_flag=True, help="Print the numbers of now, and end.")
@config_option
def top(
    url: str | None,
    token: str | None,
    token_file: Path | None,
    ca: Path | None,
    insecure: bool,
    once: bool,
    config_file: Path | None,
) -> None:
    """Show how a running edge-runtime is doing, live; Ctrl-C ends it.

    Where the output is no terminal, or with --once, the numbers of now are printed once.
    """
    client = Client(
        url or _own_url(config_file),
        token=_read(token_file) if token_file else token,
        verify=ca or not insecure,
    )
    try:
        from rich.console import Console

        from edge_runtime.top.follow import follow, show_once
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "rich":
            raise
        raise LibraryMissing(
            "top needs the library rich, which is not installed: pip install rich, "
            "or sudo apt install python3-rich"
        ) from error
    console = Console()
    if once or not console.is_terminal:
        show_once(client, console)
        return
    try:
        follow(client, console, time.sleep)
    except KeyboardInterrupt:
        return  # The way it is meant to end.


def _own_url(config_file: Path | None) -> str:
    """Where the runtime of this machine answers, as its settings say."""
    web = read_config(config_file, os.environ, {}).config.web
    # The wildcards are no address to go to; they hold the loopback one.
    host = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}.get(web.host, web.host)  # noqa: S104
    return f"http://{f'[{host}]' if ':' in host else host}:{web.port}/"


def _read(file: Path) -> str:
    try:
        with click.open_file(str(file)) as opened:
            token = str(opened.read(4096)).strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise ConfigError(f"the token cannot be read from {file}: {reason}") from error
    if not token:
        raise ConfigError(f"the token cannot be read from {file}: it is empty")
    return token
