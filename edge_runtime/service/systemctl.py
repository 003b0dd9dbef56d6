"""Asking systemd: its commands, and what they answer."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from edge_runtime.errors import SupervisorUnavailable

TIMEOUT_S: Final = 60.0
"""Stopping takes 10 s at most (``TimeoutStopSec=``); all other answers come at once."""

Run = Callable[[Sequence[str]], "subprocess.CompletedProcess[str]"]


def run_program(
    words: Sequence[str], *, timeout_s: float = TIMEOUT_S
) -> subprocess.CompletedProcess[str]:
    """Run to the end, keeping what it says. Raises SupervisorUnavailable."""
    try:
        return subprocess.run(
            words,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout_s,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise SupervisorUnavailable(
            f"`{' '.join(words)}` gave no answer within {timeout_s:.0f} s; journalctl -b says why"
        ) from error
    except OSError as error:
        raise SupervisorUnavailable(f"{words[0]} cannot be run: {error.strerror}") from error


class Systemctl:
    """Every method raises SupervisorUnavailable with what systemd said."""

    def __init__(self, *, root: Path = Path("/"), run: Run = run_program) -> None:
        """``root``: where ``/run`` lies. Raises where systemd does not run this machine."""
        # sd_booted(3).
        if not (root / "run/systemd/system").is_dir():
            raise SupervisorUnavailable(
                "systemd does not run this machine (there is no /run/systemd/system), so there is "
                "nothing to install into; `edge-runtime run` works without it"
            )
        self._run = run

    def do(self, *words: str) -> str:
        """``systemctl WORDS``; what it printed."""
        return self._said(("systemctl", "--no-pager", *words))

    def make_users(self, file: Path) -> None:
        """The user and its groups, as ``file`` (sysusers.d(5)) tells."""
        self._said(("systemd-sysusers", str(file)))

    def properties(self, unit: str, names: Sequence[str]) -> dict[str, str]:
        """``systemctl show``: unknown units answer, too, with ``LoadState=not-found``."""
        shown = self.do("show", unit, f"--property={','.join(names)}")
        return {
            key: value for key, _, value in (line.partition("=") for line in shown.splitlines())
        }

    def _said(self, words: Sequence[str]) -> str:
        done = self._run(words)
        if done.returncode != 0:
            reason = done.stderr.strip().replace("\n", "; ") or f"it ended with {done.returncode}"
            raise SupervisorUnavailable(f"`{' '.join(words)}` failed: {reason}")
        return done.stdout


def journal_command(unit: str, *, lines: int, follow: bool) -> list[str]:
    """How to read the journal of ``unit``. Raises SupervisorUnavailable where there is none."""
    if shutil.which("journalctl") is None:
        raise SupervisorUnavailable("there is no journalctl here, so there is no journal to read")
    return ["journalctl", f"--unit={unit}", f"--lines={lines}", *(["--follow"] if follow else [])]
