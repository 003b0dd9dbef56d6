"""``edge-runtime setup``: apply what a person wrote into edge.conf on the boot partition."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import click

from edge_runtime.errors import ConfigError, SetupFailed
from edge_runtime.setup.setup import Outcome, check, set_up
from edge_runtime.setup.system import System

_PLACE = Path("/boot/firmware/edge.conf")


@click.command()
@click.argument(
    "file", required=False, default=_PLACE, type=click.Path(dir_okay=False, path_type=Path)
)
@click.option("--check", "only_check", is_flag=True, help="Say what is wrong; change nothing.")
def setup(*, file: Path, only_check: bool) -> None:
    """Apply an edge.conf: FILE, or the one on the boot partition.

    At each start the service edge-runtime-setup does it. Each line is applied on its own; one that
    is wrong stays in the file, with a sentence above it.
    """
    if only_check:
        _tell(check(file))
        return
    if os.geteuid() != 0:
        raise SetupFailed(f"a system is set up by root: sudo edge-runtime setup {file}")
    _tell(set_up(file, System(card=file.resolve().parent)))


def _tell(outcomes: Sequence[Outcome]) -> None:
    """What was done to standard output; what was not ends the command."""
    problems = [str(each) for each in outcomes if each.problem is not None]
    for each in outcomes:
        if each.problem is None:
            keys = ", ".join(line.key or "" for line in each.lines)
            click.echo(f"{keys}: {each.done}")
    for sentence in problems[:-1]:
        click.echo(f"edge-runtime: {sentence}", err=True)
    if problems:
        raise ConfigError(problems[-1])
