"""``edge-runtime info``: where the page is, who may come in, and what runs here."""

from __future__ import annotations

import json
import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from edge_runtime import __version__
from edge_runtime.capture.devices import CameraDevice, list_cameras
from edge_runtime.cli.options import config_option, environment, overrides, set_option
from edge_runtime.config import Config, Loaded, read_config
from edge_runtime.config.loaded import SYSTEM_FILE
from edge_runtime.errors import WebUnavailable
from edge_runtime.masking import masked_uri
from edge_runtime.qr import drawn
from edge_runtime.web.door import is_loopback, names_of_this_machine, own_addresses
from edge_runtime.web.tokens import TOKEN_FILE, TokenFile, TokenScope


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of lines.")
@click.option("--qr/--no-qr", default=None, help="Draw a QR code; otherwise only on a terminal.")
@click.option(
    "--new-token", is_flag=True, help="Make a token for looking, and put it into the QR code."
)
@config_option
@set_option
def info(
    *,
    as_json: bool,
    qr: bool | None,
    new_token: bool,
    config_file: Path | None,
    settings: tuple[tuple[str, object], ...],
) -> None:
    """Say where the page is, who may come in, and what version, models and cameras there are.

    Of the installed service where its config is in force. A token that was made before cannot be
    shown: only a hash of it is kept.
    """
    loaded = _settings(config_file, settings)
    secret = _made(loaded.config) if new_token else None
    told = _told(loaded)
    if as_json:
        click.echo(json.dumps(told | ({"token": secret} if secret else {}), indent=2))
        return
    for name, value in told.items():
        click.echo(f"{name:<8} {_words(value)}")
    links = _links(loaded.config, secret)
    if links and secret is not None:
        click.echo(f"\nThis link is shown once:\n  {links[0]}", err=True)
    if links and (sys.stdout.isatty() if qr is None else qr):
        click.echo(drawn(links[0]), err=True)


def _settings(config_file: Path | None, settings: tuple[tuple[str, object], ...]) -> Loaded:
    """As the service has them, where it is the service's file that holds."""
    changes = overrides({}, settings)
    loaded = read_config(config_file, os.environ, changes)
    if loaded.file != SYSTEM_FILE:
        return loaded
    return read_config(SYSTEM_FILE, environment(os.environ, of_service=True), changes)


def _told(loaded: Loaded) -> dict[str, object]:
    config = loaded.config
    return {
        "version": __version__,
        "page": _links(config) or "switched off (web.enabled)",
        "token": _tokens(config),
        "cameras": [masked_uri(each.uri) for each in config.cameras],
        "found": list(_found(list_cameras())),
        "models": [config.detector.model, *config.classify.models],
        "config": str(loaded.file) if loaded.file else "no file, defaults",
    }


def _links(config: Config, secret: str | None = None) -> list[str]:
    """Addresses of the page, the one that most phones understand first."""
    if not config.web.enabled:
        return []
    scheme = "https" if config.web.tls_cert else "http"
    end = f"login#{secret}" if secret else ""
    return [f"{scheme}://{host}:{config.web.port}/{end}" for host in _hosts(config.web.host)]


def _hosts(address: str) -> Iterator[str]:
    if address not in ("0.0.0.0", "::", ""):  # noqa: S104 - compared, not bound
        yield f"[{address}]" if ":" in address else address
        return
    # By number first: not every phone finds .local names.
    yield from own_addresses()
    yield from (each for each in names_of_this_machine(socket.gethostname()) if ".local" in each)


def _tokens(config: Config) -> str:
    if is_loopback(config.web.host) and not config.web.require_token:
        return "not asked for; the page is seen on this machine only"
    try:
        number = len(TokenFile(config.state_dir / TOKEN_FILE).read())
    except WebUnavailable:
        return "asked for; how many there are only the service's user and root may read"
    if not number:
        return "asked for, and there is none: `sudo edge-runtime info --new-token` makes one"
    return f"asked for; {number} made, `sudo edge-runtime info --new-token` makes another"


def _made(config: Config) -> str:
    return TokenFile(config.state_dir / TOKEN_FILE).make(TokenScope.VIEW, None)[1]


def _found(devices: tuple[CameraDevice, ...]) -> Iterator[str]:
    for each in devices:
        if each.is_capture is not False:
            yield f"{each.path} ({each.name})"


def _words(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(value) or "none"
    return str(value)
