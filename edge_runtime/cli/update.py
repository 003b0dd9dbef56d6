"""``edge-runtime update``: another version of the Debian package, with a way back."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from edge_runtime.cli.options import config_option
from edge_runtime.config import read_config
from edge_runtime.errors import SupervisorUnavailable
from edge_runtime.store.shelf.disk import SystemDisk
from edge_runtime.update.archive import archive
from edge_runtime.update.keep import Keep
from edge_runtime.update.program import Orders
from edge_runtime.update.record import Record, Step
from edge_runtime.update.update import WITHIN_S

PROGRAM = Path("/run/edge-runtime-update.pyz")
"""Where the update runs from: in memory, since the installed files are exchanged meanwhile."""


@click.command()
@click.argument("offered", metavar="[FILE.deb|URL]", required=False)
@click.option("--sha256", metavar="HEX", help="What the package's SHA-256 has to be.")
@click.option(
    "--within",
    "within_s",
    metavar="SECONDS",
    type=click.FloatRange(1, 3600),
    default=WITHIN_S,
    show_default=True,
    help="How long the new version may take to run as well as the old one.",
)
@click.option("--allow-downgrade", is_flag=True, help="Take an older version, too.")
@click.option("--allow-http", is_flag=True, help="Fetch it unencrypted; needs --sha256.")
@click.option("--status", is_flag=True, help="Say how the last update went, and change nothing.")
@click.option("--rollback", is_flag=True, help="Install the version before the last update.")
@click.option("--resume", is_flag=True, help="Take back an update that was cut short.")
@config_option
def update(
    *,
    offered: str | None,
    sha256: str | None,
    within_s: float,
    allow_downgrade: bool,
    allow_http: bool,
    status: bool,
    rollback: bool,
    resume: bool,
    config_file: Path | None,
) -> int:
    """Install another version of the Debian package; take it back if it does not run.

    The version before is kept. Lost power, at any moment, leaves one of the two running.
    """
    if sum((offered is not None, status, rollback, resume)) != 1:
        raise click.UsageError(
            "expected one of: a package file or its address, --status, --rollback, --resume"
        )
    if status:
        return _tell(Keep(SystemDisk()).record())
    if resume:
        return _become(Orders("resume"))
    page = _page(config_file)
    if rollback:
        return _become(Orders("roll back", within_s=within_s, page=page))
    return _become(
        Orders(
            "install",
            _absolute(offered or ""),
            sha256,
            allow_downgrade=allow_downgrade,
            allow_http=allow_http,
            within_s=within_s,
            page=page,
        )
    )


def _tell(record: Record) -> int:
    if record.step is not Step.IDLE and record.trial and record.good:
        click.echo(f"{record.step}: from {record.good.version} to {record.trial.version}")
        click.echo("where nothing is going on: sudo edge-runtime update --resume takes it back")
        return 1
    click.echo(record.told or "no update was made here yet")
    if record.before:
        click.echo(f"kept: {record.before.version}; sudo edge-runtime update --rollback")
    return 0


def _become(orders: Orders) -> int:
    """Go on as the program that no update touches; does not come back."""
    if os.geteuid() != 0:
        words = " ".join(sys.argv[1:])
        raise SupervisorUnavailable(f"an update needs root: sudo edge-runtime {words}")
    try:
        PROGRAM.write_bytes(archive())
    except OSError as error:
        raise SupervisorUnavailable(f"{PROGRAM} cannot be written: {error.strerror}") from error
    sys.stdout.flush()
    program = (sys.executable, "-I", str(PROGRAM), orders.to_json())
    os.execv(sys.executable, program)  # noqa: S606 - no shell is wanted


def _page(config_file: Path | None) -> str | None:
    """Where the page of this machine is, by the settings; None: there is none."""
    web = read_config(config_file, os.environ, {}).config.web
    if not web.enabled:
        return None
    # The wildcards are no address to go to; they hold the loopback one.
    host = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}.get(web.host, web.host)  # noqa: S104
    scheme = "https" if web.tls_cert else "http"
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{web.port}"


def _absolute(offered: str) -> str:
    return offered if "://" in offered else str(Path(offered).absolute())
