"""sd_notify(3): short messages to the supervisor over the datagram socket it named.

Written out instead of taken from a library: python-systemd needs a compiler and libsystemd, and the
protocol is one datagram of ``KEY=value`` lines.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Mapping
from typing import Final

from edge_runtime.closeable import Closeable

log = logging.getLogger(__name__)

LONGEST_STATUS: Final = 200
"""Characters: ``systemctl status`` shows one line."""


class Notifier(Closeable):
    """Sends messages, or does nothing where nobody supervises us. Never waits, never raises."""

    def __init__(self, address: str | None) -> None:
        """``address``: of ``$NOTIFY_SOCKET``; one that begins with ``@`` is an abstract socket."""
        self._socket: socket.socket | None = None
        self._complained = False
        if not address:
            return
        if address[0] not in "/@":
            log.warning("NOTIFY_SOCKET is %s, which is no UNIX socket; it is told nothing", address)
            return
        self._address = "\0" + address[1:] if address[0] == "@" else address
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        # A supervisor that does not read must not stop the frames with it.
        self._socket.setblocking(False)

    @property
    def supervised(self) -> bool:
        """Whether anybody is told."""
        return self._socket is not None

    def tell(self, message: Mapping[str, str | int]) -> bool:
        """Send ``message``; False, and one warning, when it cannot be delivered."""
        if self._socket is None:
            return False
        lines = (f"{key}={_one_line(str(value))}\n" for key, value in message.items())
        try:
            self._socket.sendto("".join(lines).encode("utf-8", "replace"), self._address)
        except OSError as error:
            if not self._complained:
                log.warning("the supervisor cannot be told anything: %s", error)
            self._complained = True
            return False
        self._complained = False
        return True

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def _one_line(text: str) -> str:
    """A newline would begin another assignment."""
    return " ".join(text.split())[:LONGEST_STATUS]
