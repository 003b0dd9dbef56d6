"""The ``edge-runtime`` command: finds the subcommand; a typed error becomes a line and a code."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence
from typing import Any, Final, cast

import click

from edge_runtime import __version__
from edge_runtime.errors import EdgeRuntimeError
from edge_runtime.journal import quieten_libraries

COMMANDS: Final = {
    "run": "edge_runtime.cli.run:run",
    "analyze": "edge_runtime.cli.analyze:analyze",
    "models": "edge_runtime.cli.models:models",
    "doctor": "edge_runtime.cli.doctor:doctor",
    "config": "edge_runtime.cli.config:config",
    "bench": "edge_runtime.cli.bench:bench",
}
"""Name to ``module:attribute``; a command's module is imported when it is called."""

INTERRUPTED: Final = 130
"""128 + SIGINT, as shells count."""


class LazyGroup(click.Group):
    """A group whose commands load when asked for: ``run`` must not pay for ``bench``."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        where = COMMANDS.get(cmd_name)
        if where is None:
            return None
        module, _, attribute = where.partition(":")
        return cast(click.Command, getattr(importlib.import_module(module), attribute))


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="edge-runtime")
def cli() -> None:
    """Find and classify faces in live video on a Raspberry Pi, and show how it goes."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code is documented in docs/exit-codes.md."""
    quieten_libraries(os.environ)
    try:
        code: Any = cli.main(args=argv, prog_name="edge-runtime", standalone_mode=False)
    except EdgeRuntimeError as error:
        return _fail(str(error), error.exit_code)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return _fail("interrupted", INTERRUPTED)
    except BrokenPipeError:
        return _reader_gone()
    return code if isinstance(code, int) else 0


def _fail(sentence: str, code: int) -> int:
    click.echo(f"edge-runtime: {sentence}", err=True)
    return code


def _reader_gone() -> int:
    # ``edge-runtime models list | head``: the reader has what it wanted. Python would complain
    # once more when it flushes stdout at exit, so stdout is pointed at nothing.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


if __name__ == "__main__":
    sys.exit(main())
