"""Options that several commands share."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import click

SERVICE_STATE: Final = "/var/lib/edge-runtime"
"""``StateDirectory=`` of edge-runtime.service."""

_PERSONAL: Final = ("HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME")


class Setting(click.ParamType[tuple[str, object]]):
    """``KEY=VALUE``, the value as in TOML; a word that is no TOML is taken as text."""

    name = "setting"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, object]:
        key, equals, text = str(value).partition("=")
        if not equals or not key.strip():
            self.fail(f"{value!r} is not KEY=VALUE, such as web.port=9000", param, ctx)
        return key.strip(), _toml_value(text)


def _toml_value(text: str) -> object:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


config_option = click.option(
    "--config",
    "config_file",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="The config file; otherwise the first of the usual places.",
)

set_option = click.option(
    "--set",
    "settings",
    metavar="KEY=VALUE",
    type=Setting(),
    multiple=True,
    help="Any key of the config, such as web.port=9000; may be repeated.",
)


service_option = click.option(
    "--service",
    "of_service",
    is_flag=True,
    help="What the installed service keeps in /var/lib/edge-runtime; with sudo.",
)


def environment(environ: Mapping[str, str], *, of_service: bool) -> Mapping[str, str]:
    """What settings are read from; of the service: as systemd starts it, without a home."""
    if not of_service:
        return environ
    ours = {key: value for key, value in environ.items() if key not in _PERSONAL}
    return ours | {"STATE_DIRECTORY": SERVICE_STATE}


def overrides(
    flags: Mapping[str, object | None], settings: Iterable[tuple[str, object]]
) -> dict[str, object]:
    """What the command line says over file and environment; unset flags say nothing."""
    return {key: value for key, value in flags.items() if value is not None} | dict(settings)
