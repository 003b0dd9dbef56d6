"""The unit file of an installation by pip: the package's own, with another program in it."""

from __future__ import annotations

import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import edge_runtime
from edge_runtime.errors import InstallationUnsuited

NAME: Final = "edge-runtime.service"
SLICE: Final = "edge-runtime.slice"
SYSUSERS: Final = "edge-runtime.sysusers"
MARK: Final = "# Written by `edge-runtime service install`; change it with `systemctl edit`.\n"
"""The first line of every file that is ours to write again and to remove."""

_PACKAGED_PROGRAM: Final = "/usr/bin/edge-runtime"
_HOMES: Final = (Path("/home"), Path("/root"), Path("/run/user"))


def template(name: str) -> str:
    """The text of a file of ``systemd/``, from the wheel or from the checkout."""
    package = Path(edge_runtime.__file__).parent
    for folder in (package / "systemd", package.parent / "systemd"):
        if (folder / name).is_file():
            return (folder / name).read_text("utf-8")
    raise InstallationUnsuited(
        f"this installation lacks {name}, expected in {package / 'systemd'}; install it again "
        "with pip"
    )


def service_unit(program: Iterable[str], places: Iterable[Path]) -> str:
    """The service, starting ``program`` (its words). ``places``: folders that the program reads.

    Raises InstallationUnsuited when the service's user may not enter one of them.
    """
    at_home = False
    for place in places:
        _refuse_closed(place)
        at_home = at_home or any(place.is_relative_to(home) for home in _HOMES)
    text = template(NAME).replace(_PACKAGED_PROGRAM, " ".join(map(quoted, program)))
    if at_home:
        text = text.replace("ProtectHome=yes", "ProtectHome=read-only")
    return MARK + text


def quoted(word: str) -> str:
    """One word of ExecStart=, whatever is in it: systemd.service(5), "Command lines"."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{escaped}"' if any(c in " \t'\"\\;" for c in word) else escaped


def _refuse_closed(place: Path) -> None:
    for folder in (place, *place.parents):
        if not folder.stat().st_mode & stat.S_IXOTH:
            raise InstallationUnsuited(
                f"the service runs as a user of its own, which may not enter {folder}, and that "
                f"holds {place}; install in a folder open to all, such as /opt/edge-runtime "
                f"(python3 -m venv), and call `service install` from there"
            )
