"""Other programs' answers, with a time limit. A program that is missing or fails answers None."""

from __future__ import annotations

import logging
import shutil
import subprocess
from collections.abc import Callable, Sequence

log = logging.getLogger(__name__)

Command = Callable[[Sequence[str]], str | None]
"""Runs a program and gives what it wrote to its standard output, or None."""


def run_command(argv: Sequence[str], timeout_s: float = 1.0) -> str | None:
    """The output of ``argv``; None when it is not installed, fails or takes over ``timeout_s``."""
    program = shutil.which(argv[0])
    if program is None:
        return None
    try:
        done = subprocess.run(
            [program, *argv[1:]],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout_s,
            check=True,
        )
    except (OSError, subprocess.SubprocessError) as error:
        log.debug("%s: %s", " ".join(argv), error)
        return None
    return done.stdout.strip()
