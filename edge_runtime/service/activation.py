"""The listening socket that systemd opened for us, as sd_listen_fds(3) hands it over."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from edge_runtime.errors import WebUnavailable

FIRST: Final = 3
"""The descriptors after stdin, stdout and stderr."""


def inherited_socket(
    environ: Mapping[str, str], *, pid: int | None = None, first: int = FIRST
) -> socket.socket | None:
    """The page's socket; None where none was handed over. Whoever calls closes it.

    Raises WebUnavailable when it is no listening TCP socket, or there are several.
    """
    if environ.get("LISTEN_PID") != str(os.getpid() if pid is None else pid):
        return None
    count = environ.get("LISTEN_FDS", "")
    if count != "1":
        raise WebUnavailable(
            f"systemd handed over {count or 'no'} sockets (LISTEN_FDS): the page listens on one, "
            f"so keep a single ListenStream= in edge-runtime.socket"
        )
    return _checked(first)


def credentials(environ: Mapping[str, str]) -> Path | None:
    """The folder with the service's secrets (``LoadCredential=``); None where there are none."""
    folder = environ.get("CREDENTIALS_DIRECTORY")
    return Path(folder) if folder else None


def _checked(descriptor: int) -> socket.socket:
    try:
        found = socket.socket(fileno=os.dup(descriptor))
    except OSError as error:
        raise WebUnavailable(
            f"descriptor {descriptor}, which LISTEN_FDS announces, is no socket: {error}"
        ) from error
    listens = found.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    if found.family not in (socket.AF_INET, socket.AF_INET6) or not listens:
        found.close()
        raise WebUnavailable(
            "the socket that systemd handed over does not listen for TCP: edge-runtime.socket "
            "needs ListenStream= with a port, such as 127.0.0.1:8000"
        )
    return found
