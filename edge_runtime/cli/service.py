"""``edge-runtime service``: a service of systemd, for those who came by pip."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import click

import edge_runtime
from edge_runtime.errors import SupervisorUnavailable
from edge_runtime.service.installation import Installation
from edge_runtime.service.standing import PROPERTIES, standing_of
from edge_runtime.service.systemctl import Systemctl, journal_command
from edge_runtime.service.unit import NAME


@click.group()
def service() -> None:
    """Start at boot under systemd. The Debian package brings its own service."""


@service.command()
@click.option("--no-start", is_flag=True, help="Only install; it starts at the next boot.")
def install(no_start: bool) -> None:
    """Make this very installation a service, and start it."""
    _refuse_without_root("install")
    program = [sys.executable, "-m", "edge_runtime"]
    written = Installation(Systemctl()).install(program, _places(), start=not no_start)
    for path in written:
        click.echo(f"wrote {path}")
    click.echo("starts at boot" if no_start else "starts at boot, and is starting now")
    click.echo("how it stands: edge-runtime service status")


@service.command()
def uninstall() -> None:
    """Stop the service and remove its files; settings and models stay."""
    _refuse_without_root("uninstall")
    for path in Installation(Systemctl()).uninstall():
        click.echo(f"removed {path}")
    click.echo("still there: /etc/edge-runtime, /var/lib/edge-runtime, the user edge-runtime")


@service.command()
def status() -> int:
    """Say how the service stands; exit with 1 when it is not running."""
    standing = standing_of(Systemctl().properties(NAME, PROPERTIES))
    for line in standing.lines():
        click.echo(line)
    return 0 if standing.is_well else 1


@service.command()
@click.option("--lines", default=50, show_default=True, type=click.IntRange(1), help="How many.")
@click.option("--follow", is_flag=True, help="Go on with what comes, until Ctrl-C.")
def logs(lines: int, follow: bool) -> int:
    """Show the last lines of the service's journal."""
    words = journal_command(NAME, lines=lines, follow=follow)
    return subprocess.run(words, check=False).returncode


def _refuse_without_root(command: str) -> None:
    if os.geteuid() != 0:
        raise SupervisorUnavailable(
            f"`service {command}` changes the system and needs root: "
            f"sudo {sys.executable} -m edge_runtime service {command}"
        )


def _places() -> tuple[Path, ...]:
    """What the service's user has to be able to read: interpreter, libraries, this package."""
    package = Path(edge_runtime.__file__).parent
    return (Path(sys.executable).parent, Path(sys.prefix), Path(sys.base_prefix), package)
