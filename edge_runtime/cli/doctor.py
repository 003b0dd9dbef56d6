"""``edge-runtime doctor``: what stands in the way on this machine, and what to do about it."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

import click

from edge_runtime.app.examination import plan_of
from edge_runtime.capture.devices import list_cameras
from edge_runtime.cli.options import config_option, overrides, set_option
from edge_runtime.config import Config, read_config
from edge_runtime.doctor.examination import examine
from edge_runtime.doctor.finding import State
from edge_runtime.doctor.machine import Machine
from edge_runtime.doctor.plan import Plan
from edge_runtime.doctor.report import (
    ASCII_SIGNS,
    COLOURS,
    SIGNS,
    exit_code_of,
    json_of,
    lines_of,
    summary_of,
)
from edge_runtime.errors import ConfigError
from edge_runtime.journal import set_up_logging


@click.command()
@config_option
@set_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of lines.")
def doctor(
    config_file: Path | None, settings: tuple[tuple[str, object], ...], as_json: bool
) -> int:
    """Look for what stands in the way on this machine; change nothing.

    Exits with 1 when something needs acting on, else with 0: what is to be watched or unknown
    does not count.
    """
    set_up_logging("warning", environ=os.environ)
    plan, error = _plan(config_file, overrides({}, settings))
    signs = SIGNS if _speaks_unicode() else ASCII_SIGNS
    width = shutil.get_terminal_size().columns
    findings = []
    for finding in examine(Machine(cameras=list_cameras), plan, config_error=error):
        findings.append(finding)
        if not as_json:
            _say(lines_of(finding, sign=signs[finding.state], width=width), finding.state)
    if as_json:
        click.echo(json.dumps(json_of(findings), indent=2))
    else:
        click.echo(summary_of(findings))
    return exit_code_of(findings)


def _say(text: str, state: State) -> None:
    """Print ``text``, its first letter in the colour of ``state``; colours on terminals only."""
    encoding = sys.stdout.encoding or "ascii"
    sayable = text.encode(encoding, "replace").decode(encoding)
    click.echo(click.style(sayable[0], fg=COLOURS[state], bold=True) + sayable[1:])


def _plan(file: Path | None, flags: dict[str, object]) -> tuple[Plan, ConfigError | None]:
    """What the config asks for; with a broken one the defaults, and what broke it."""
    try:
        loaded = read_config(file, os.environ, flags)
    except ConfigError as error:
        return plan_of(Config(), file), error
    return plan_of(loaded.config, loaded.file), None


def _speaks_unicode() -> bool:
    return (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
