"""``edge-runtime certificate``: encryption for the page without asking anybody."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import click

from edge_runtime.app.certificate import make_certificate
from edge_runtime.cli.options import config_option, overrides, set_option
from edge_runtime.config import load_config
from edge_runtime.web.door import names_of_this_machine, own_addresses


@click.command()
@click.option(
    "--name",
    "names",
    metavar="NAME",
    multiple=True,
    help="A name or address it is for, besides this machine's own; may be repeated.",
)
@click.option(
    "--out",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where the two files go; otherwise the state folder.",
)
@config_option
@set_option
def certificate(
    *,
    names: tuple[str, ...],
    out: Path | None,
    config_file: Path | None,
    settings: tuple[tuple[str, object], ...],
) -> None:
    """Make a key and a certificate that this machine signs itself, and say how to use them.

    Browsers warn once: compare the fingerprint they show with the one that is printed here.
    """
    config = load_config(config_file, os.environ, overrides({}, settings))
    own = (*names_of_this_machine(socket.gethostname()), "localhost", "127.0.0.1", "::1")
    made = make_certificate(
        out or config.state_dir, (*own, *own_addresses(), *config.web.allowed_hosts, *names)
    )
    click.echo(f'[web]\ntls_cert = "{made.certificate}"\ntls_key = "{made.key}"')
    click.echo(f"SHA-256 fingerprint: {made.fingerprint}", err=True)
    click.echo(
        f"It holds until {made.ends:%Y-%m-%d}. The lines above go into the config.", err=True
    )
