"""The ``edge-runtime`` command: finds the subcommand; a typed error becomes a line and a code."""

from __future__ import annotations

import gc
import importlib
import os
from collections.abc import Sequence
from typing import Any, Final, NamedTuple, NoReturn, cast

import click

from edge_runtime import __version__
from edge_runtime.cli.leaving import leave
from edge_runtime.errors import EdgeRuntimeError
from edge_runtime.journal import quieten_libraries
from edge_runtime.service.title import hide_secrets


class Place(NamedTuple):
    """Where a command is, and what the overview says of it without loading it."""

    where: str
    """``module:attribute``."""
    summary: str


COMMANDS: Final = {
    "run": Place("edge_runtime.cli.run:run", "Watch a camera, find and classify faces, show it."),
    "analyze": Place("edge_runtime.cli.analyze:analyze", "Look through pictures and videos."),
    "top": Place("edge_runtime.cli.top:top", "Show live in a terminal how a runtime is doing."),
    "models": Place("edge_runtime.cli.models:models", "List models, or look inside one."),
    "doctor": Place("edge_runtime.cli.doctor:doctor", "Say what is wrong with this machine."),
    "people": Place("edge_runtime.cli.people:people", "Enrol, list and forget people."),
    "token": Place("edge_runtime.cli.token:token", "Make, list and revoke the page's tokens."),
    "certificate": Place(
        "edge_runtime.cli.certificate:certificate", "Make a certificate for the page."
    ),
    "info": Place("edge_runtime.cli.info:info", "Say where the page is, and what runs here."),
    "setup": Place("edge_runtime.cli.setup:setup", "Apply the edge.conf of a memory card."),
    "service": Place("edge_runtime.cli.service:service", "Start at boot, under systemd."),
    "update": Place("edge_runtime.cli.update:update", "Exchange the Debian package, safely."),
    "config": Place("edge_runtime.cli.config:config", "Show or check the settings."),
    "rules": Place("edge_runtime.cli.rules:rules", "Check the rules of the settings, or try one."),
    "compress": Place("edge_runtime.cli.compress:compress", "Make a model small by a recipe."),
    "bench": Place("edge_runtime.cli.bench:bench", "Measure this machine."),
    "tune": Place("edge_runtime.cli.tune:tune", "Choose by measuring how a model runs fastest."),
}

INTERRUPTED: Final = 130
"""128 + SIGINT, as shells count."""


class LazyGroup(click.Group):
    """A group whose commands load when asked for: ``run`` must not pay for ``bench``."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        place = COMMANDS.get(cmd_name)
        if place is None:
            return None
        module, _, attribute = place.where.partition(":")
        return cast(click.Command, getattr(_imported(module), attribute))

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, place.summary) for name, place in COMMANDS.items()])


def _imported(module: str) -> Any:
    # What is imported stays: looking through it for garbage, now or at the first pass after, is
    # 100 ms for nothing.
    was_on = gc.isenabled()
    gc.disable()
    try:
        return importlib.import_module(module)
    finally:
        gc.freeze()
        if was_on:
            gc.enable()


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="edge-runtime")
def cli() -> None:
    """Find and classify faces in live video on a Raspberry Pi, and show how it goes."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code is documented in docs/exit-codes.md."""
    quieten_libraries(os.environ)
    hide_secrets()
    try:
        code: Any = cli.main(args=argv, prog_name="edge-runtime", standalone_mode=False)
    except EdgeRuntimeError as error:
        return _fail(str(error), error.exit_code)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return _fail("interrupted", INTERRUPTED)
    return code if isinstance(code, int) else 0


def _fail(sentence: str, code: int) -> int:
    click.echo(f"edge-runtime: {sentence}", err=True)
    return code


def console() -> NoReturn:
    """The ``edge-runtime`` command."""
    leave(main())
