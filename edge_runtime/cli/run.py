"""``edge-runtime run``: the main job, until it is stopped or its source ends."""

from __future__ import annotations

import faulthandler
import json
import os
import sys
import threading
from pathlib import Path

import click

from edge_runtime.app.page import Page
from edge_runtime.app.reload import Reloader
from edge_runtime.app.runtime import Runtime
from edge_runtime.app.summary import Summary
from edge_runtime.cli.options import config_option, overrides, set_option
from edge_runtime.config import load_config
from edge_runtime.journal import set_up_logging
from edge_runtime.service.activation import credentials, inherited_socket
from edge_runtime.service.allocator import share_one_heap
from edge_runtime.service.heartbeat import Heartbeat
from edge_runtime.service.signals import reload_on_hangup, stop_on_signals


@click.command()
@config_option
@click.option("--source", metavar="URI", help="Where pictures come from; `auto` finds a camera.")
@click.option("--host", metavar="ADDRESS", help="Where the page listens; others need a token.")
@click.option("--port", type=int, help="The page's port; 0 takes any free one.")
@click.option("--no-web", is_flag=True, help="No page.")
@click.option("--max-frames", type=click.IntRange(min=1), help="Stop after so many frames.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON summary at the end.")
@click.option(
    "--log-level", type=click.Choice(["debug", "info", "warning", "error"]), help="How much to say."
)
@set_option
def run(
    *,
    config_file: Path | None,
    source: str | None,
    host: str | None,
    port: int | None,
    no_web: bool,
    max_frames: int | None,
    as_json: bool,
    log_level: str | None,
    settings: tuple[tuple[str, object], ...],
) -> int:
    """Watch a camera (or a file), find faces, classify them, show the page."""
    flags = {
        "source.uri": source,
        "web.host": host,
        "web.port": port,
        "web.enabled": False if no_web else None,
        "log.level": log_level,
    }
    said = overrides(flags, settings)
    config = load_config(config_file, os.environ, said)
    set_up_logging(config.log.level, environ=os.environ)
    share_one_heap()
    stop = threading.Event()
    stop_on_signals(stop)
    asked = threading.Event()
    reload_on_hangup(asked, terminal=sys.stdin is not None and sys.stdin.isatty())
    listening = inherited_socket(os.environ)
    with (
        Heartbeat.of(os.environ) as heartbeat,
        Runtime(
            config,
            heartbeat=heartbeat,
            listening=listening,
            reloader=Reloader(
                config, lambda: load_config(config_file, os.environ, said), asked, heartbeat
            ),
            credentials=credentials(os.environ),
        ) as runtime,
    ):
        if heartbeat.supervised:
            faulthandler.enable()  # the watchdog ends a hang with SIGABRT: the journal tells where
        if runtime.page is not None:
            _say_where(runtime.page)
        summary = runtime.run(stop, max_frames=max_frames)
    _say_result(summary, as_json)
    if summary.problem is None:
        return 0
    click.echo(f"edge-runtime: {summary.problem}", err=True)
    return summary.problem.exit_code


def _say_where(page: Page) -> None:
    click.echo(f"page: {page.url}", err=True)
    if page.asks:
        click.echo("      it asks for a token: `edge-runtime token new` makes one", err=True)


def _say_result(summary: Summary, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(summary.as_json()))
        return
    rate = "" if summary.fps is None else f" at {summary.fps:.1f} frames a second"
    click.echo(f"{summary.frames} frames{rate}, {summary.tracks} faces", err=True)
