"""An installation by pip made a service: its files in ``/etc``, and systemd told of them."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from edge_runtime.errors import InstallationUnsuited, SupervisorUnavailable
from edge_runtime.service import unit
from edge_runtime.service.systemctl import Systemctl

_PACKAGED: Final = ("usr/lib/systemd/system", "lib/systemd/system")


class Installation:
    """Where the service's files go below ``root``, and who is told."""

    def __init__(self, systemctl: Systemctl, *, root: Path = Path("/")) -> None:
        self._systemctl, self._root = systemctl, root
        self._units = root / "etc/systemd/system"
        self._users = root / "etc/sysusers.d/edge-runtime.conf"

    @property
    def _files(self) -> tuple[Path, ...]:
        return (self._units / unit.NAME, self._units / unit.SLICE, self._users)

    def install(
        self, program: Sequence[str], places: Iterable[Path], *, start: bool = True
    ) -> tuple[Path, ...]:
        """Write the files, make the user, enable at boot and start; the files that were written.

        Starting is not waited for, since it ends with a camera's first frame. Raises
        InstallationUnsuited, SupervisorUnavailable.
        """
        self._refuse_second()
        texts = (
            unit.service_unit(program, places),
            unit.MARK + unit.template(unit.SLICE),
            unit.MARK + unit.template(unit.SYSUSERS),
        )
        for path, text in zip(self._files, texts, strict=True):
            _write(path, text)
        self._systemctl.make_users(self._users)
        self._systemctl.do("daemon-reload")
        self._systemctl.do("enable", unit.NAME)
        if start:
            self._systemctl.do("--no-block", "restart", unit.NAME)
        return self._files

    def uninstall(self) -> tuple[Path, ...]:
        """Stop and forget the service; the files that were removed.

        Settings, models and the user stay. Raises InstallationUnsuited when there is none of ours,
        SupervisorUnavailable.
        """
        ours = tuple(path for path in self._files if _is_ours(path))
        if self._units / unit.NAME not in ours:
            raise InstallationUnsuited(
                f"no service of `service install` is here: {self._units / unit.NAME} is missing or "
                "somebody else's; one from the Debian package goes with `apt remove edge-runtime`"
            )
        self._systemctl.do("disable", "--now", unit.NAME)
        for path in ours:
            path.unlink()
        self._systemctl.do("daemon-reload")
        return ours

    def _refuse_second(self) -> None:
        for folder in _PACKAGED:
            if (self._root / folder / unit.NAME).exists():
                raise InstallationUnsuited(
                    "the Debian package has installed the service already: sudo systemctl enable "
                    "--now edge-runtime; to use this one instead, `apt remove edge-runtime` first"
                )
        for path in self._files:
            if path.exists() and not _is_ours(path):
                raise InstallationUnsuited(
                    f"{path} is there and was not written by `service install`; move it away first"
                )


def _is_ours(path: Path) -> bool:
    return path.is_file() and path.read_text("utf-8", "replace").startswith(unit.MARK)


def _write(path: Path, text: str) -> None:
    """All of it or nothing: a unit cut short by a power loss would be half a sandbox."""
    new = path.with_name(f".{path.name}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with new.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        new.chmod(0o644)
        new.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):  # the error to tell is the first one
            new.unlink(missing_ok=True)
        raise SupervisorUnavailable(f"{path} cannot be written: {error.strerror}") from error
