"""``edge-runtime config``: which settings are in force, and what is wrong with a file."""

from __future__ import annotations

import os
from pathlib import Path

import click

from edge_runtime.cli.options import config_option, overrides, set_option
from edge_runtime.config import problems_in_file, read_config, to_toml
from edge_runtime.errors import ConfigError


@click.group()
def config() -> None:
    """Show the settings in force, or check a config file."""


@config.command()
@config_option
@set_option
def show(config_file: Path | None, settings: tuple[tuple[str, object], ...]) -> None:
    """Print every setting with its value and where it came from, as TOML."""
    loaded = read_config(config_file, os.environ, overrides({}, settings))
    click.echo(f"# config file: {loaded.file or 'none'}")
    click.echo(to_toml(loaded.config, loaded.origins, mask=True), nl=False)


@config.command()
@click.argument("file", type=click.Path(path_type=Path), required=False)
def check(file: Path | None) -> None:
    """Print all that is wrong in FILE, one line each; exit with 2 if anything is.

    Without FILE the file in force is read, with the environment: as `run` would.
    """
    if file is None:
        in_force = read_config(None, os.environ, {}).file
        click.echo(f"{in_force or 'no config file, the defaults'}: no problems")
        return
    problems = problems_in_file(file)
    for problem in problems:
        click.echo(str(problem), err=True)
    if problems:
        raise click.exceptions.Exit(ConfigError.exit_code)
    click.echo(f"{file}: no problems")
