"""``edge-runtime people add|list|rename|remove|export|import``: whom this device knows.

A running service follows what is changed here within a second.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import click

from edge_runtime.analyze.inputs import files_of
from edge_runtime.app.enroller import Enroller
from edge_runtime.app.recognition import compared_model, open_register
from edge_runtime.cli.options import config_option, overrides, set_option
from edge_runtime.config import Config, load_config
from edge_runtime.errors import OutputUnwritable, SourceUnavailable
from edge_runtime.people.enrolment import WANTED
from edge_runtime.people.register import Register
from edge_runtime.service.activation import credentials

Settings = tuple[tuple[str, object], ...]

CONSENT = (
    "A face is personal data: enrol only people who agreed to it (docs/known-faces.md). What is "
    "kept are numbers, no pictures, on this device alone."
)


@click.group()
def people() -> None:
    """Enrol, list, rename and forget people; the service follows within a second."""


@people.command()
@click.argument("name")
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@click.option("--camera", metavar="URI", help="Without files: otherwise the config's source.")
@click.option(
    "--within", "within_s", type=click.FloatRange(1, 600), default=60.0, show_default=True,
    help="Seconds that the camera may look.",
)  # fmt: skip
@click.option("--force", is_flag=True, help="Also when it looks like somebody who is enrolled.")
@config_option
@set_option
def add(
    *,
    name: str,
    files: tuple[Path, ...],
    camera: str | None,
    within_s: float,
    force: bool,
    config_file: Path | None,
    settings: Settings,
) -> None:
    """Enrol NAME from the camera, or from pictures, clips and folders of them.

    Several FILES should show one person, from several sides and in several lights.
    """
    config = _config(config_file, settings)
    click.echo(CONSENT, err=True)
    with Enroller(config, credentials=credentials(os.environ)) as enroller:
        if files:
            enrolment = enroller.from_files(name, files_of(files), _say)
        else:
            enrolment = enroller.from_camera(
                name,
                camera or config.cameras[0].uri,
                _say,
                within_s=within_s,
                clock=time.monotonic,
            )
        person = enroller.keep(name, enrolment, force=force)
    click.echo(f"{person.name} is enrolled with {len(person.templates)} views")
    if enrolment.views < WANTED:
        click.echo(
            f"fewer than {WANTED} views: add more with other pictures, or before the camera",
            err=True,
        )


@people.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@config_option
@set_option
def show(*, as_json: bool, config_file: Path | None, settings: Settings) -> None:
    """List who is enrolled."""
    config = _config(config_file, settings)
    model = compared_model(config)
    enrolled = [
        {
            "name": each.name,
            "added": each.added,
            "views": len(each.templates),
            "outdated": each.outdated(model),
        }
        for each in _register(config).people()
    ]
    if as_json:
        click.echo(json.dumps(enrolled))
        return
    if not enrolled:
        click.echo("nobody is enrolled; `edge-runtime people add NAME` enrols somebody", err=True)
    for each in enrolled:
        anew = "  to be enrolled anew: the model is another one now" if each["outdated"] else ""
        views = f"{each['views']} view{'' if each['views'] == 1 else 's'}"
        click.echo(f"{each['name']}  {views}  since {each['added']}{anew}")
    if enrolled and not config.people.enabled:
        click.echo("recognition is switched off: set people.enabled = true", err=True)


@people.command()
@click.argument("name")
@click.argument("new_name")
@config_option
@set_option
def rename(*, name: str, new_name: str, config_file: Path | None, settings: Settings) -> None:
    """Call NAME by another name."""
    _register(_config(config_file, settings)).rename(name, new_name)
    click.echo(f"{name} is {new_name} now")


@people.command()
@click.argument("name")
@config_option
@set_option
def remove(*, name: str, config_file: Path | None, settings: Settings) -> None:
    """Forget NAME: what was kept is overwritten."""
    _register(_config(config_file, settings)).remove(name)
    click.echo(f"{name} is forgotten")


@people.command()
@click.argument("file", type=click.Path(path_type=Path))
@config_option
@set_option
def export(*, file: Path, config_file: Path | None, settings: Settings) -> None:
    """Write everybody to FILE, unsealed, for another device with the same model."""
    content = _register(_config(config_file, settings)).exported()
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as opened:
            opened.write(content)
    except FileExistsError as error:
        raise OutputUnwritable(f"{file} is there already: choose another name") from error
    except OSError as error:
        raise OutputUnwritable(f"{file} cannot be written ({error.strerror})") from error
    click.echo(f"{file} is readable by you alone; delete it where it is not needed", err=True)


@people.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@config_option
@set_option
def take_in(*, file: Path, config_file: Path | None, settings: Settings) -> None:
    """Take in everybody of FILE, which another device exported."""
    config = _config(config_file, settings)
    try:
        content = file.read_bytes()
    except OSError as error:
        raise SourceUnavailable(f"{file} cannot be read ({error.strerror})") from error
    names = _register(config).take_in(content, compared_model(config), source=str(file))
    click.echo(f"taken in: {', '.join(names) or 'nobody'}")


def _config(config_file: Path | None, settings: Settings) -> Config:
    return load_config(config_file, os.environ, overrides({}, settings))


def _register(config: Config) -> Register:
    return open_register(config, credentials(os.environ))


def _say(sentence: str) -> None:
    click.echo(sentence, err=True)
