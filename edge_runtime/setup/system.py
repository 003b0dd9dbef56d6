"""The system that is set up: its files, its commands, and the card it was started from."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from edge_runtime.errors import SetupFailed
from edge_runtime.service.systemctl import Run, run_program

SERVICE_USER: Final = "edge-runtime"

Chown = Callable[[Path, int, int], None]


@dataclass(frozen=True, slots=True)
class Account:
    """A line of ``/etc/passwd``."""

    name: str
    uid: int
    gid: int
    home: Path


@dataclass(frozen=True, slots=True)
class System:
    """Everything raises SetupFailed where the system refuses, SupervisorUnavailable where a program
    cannot be run at all.
    """

    card: Path
    """The folder of ``edge.conf``: the boot partition."""
    root: Path = Path("/")
    run: Run = run_program
    chown: Chown = os.chown

    def at(self, path: str) -> Path:
        """A path such as ``etc/hostname`` below the root."""
        return self.root / path.lstrip("/")

    def do(self, *words: str) -> None:
        """Run a program to its end; its own last line is the sentence when it fails."""
        done = self.run(words)
        if done.returncode != 0:
            said = (done.stderr.strip() or done.stdout.strip() or "no reason given").splitlines()
            raise SetupFailed(f"`{' '.join(words)}` failed with {done.returncode}: {said[-1]}")

    def text(self, path: str) -> str:
        """Of a file; empty where there is none."""
        try:
            return self.at(path).read_text("utf-8", "replace")
        except FileNotFoundError:
            return ""
        except OSError as error:
            raise SetupFailed(f"/{path} cannot be read: {error.strerror}") from error

    def write(
        self,
        path: Path,
        content: str | bytes,
        *,
        mode: int = 0o644,
        uid: int = -1,
        gid: int = -1,
    ) -> None:
        """After a power cut the file is the old one or the new one; it never has a wider mode.

        ``uid``, ``gid``: whose it becomes; -1: whose this process is.
        """
        data = content.encode() if isinstance(content, str) else content
        part = path.with_name(f".{path.name}.part")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            part.unlink(missing_ok=True)
            descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
            with os.fdopen(descriptor, "wb") as file:
                if (uid, gid) != (-1, -1):
                    self.chown(part, uid, gid)
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            part.replace(path)
            _sync(path.parent)
        except OSError as error:
            raise SetupFailed(f"{path} cannot be written: {error.strerror}") from error

    def folder(self, path: Path, *, mode: int, of: Account) -> None:
        """Make a folder of somebody's, unless it is there."""
        try:
            path.mkdir(mode=mode, parents=True)
            self.chown(path, of.uid, of.gid)
        except FileExistsError:
            return
        except OSError as error:
            raise SetupFailed(f"{path} cannot be made: {error.strerror}") from error

    def accounts(self) -> tuple[Account, ...]:
        """Everybody in ``/etc/passwd``."""
        rows = (line.split(":") for line in self.text("etc/passwd").splitlines())
        return tuple(
            Account(row[0], int(row[2]), int(row[3]), self.at(row[5]))
            for row in rows
            if len(row) == 7 and row[2].isdigit() and row[3].isdigit()
        )

    def service_account(self) -> Account:
        """Whose the state folder is."""
        for account in self.accounts():
            if account.name == SERVICE_USER:
                return account
        raise SetupFailed(
            f"there is no user {SERVICE_USER}: install the package, or run "
            "`sudo edge-runtime service install`"
        )


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
