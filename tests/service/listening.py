"""A supervisor's end of the notify socket: a real datagram socket, and what arrived at it."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Self


class Supervisor:
    """Binds a socket as systemd does; ``messages`` are what was told so far."""

    def __init__(self, address: Path | str) -> None:
        self.address = str(address)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind("\0" + self.address[1:] if self.address[0] == "@" else self.address)
        self._socket.setblocking(False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def messages(self) -> list[dict[str, str]]:
        """All that arrived since the last call, parsed as systemd does."""
        found: list[dict[str, str]] = []
        while True:
            try:
                datagram = self._socket.recv(65536)
            except BlockingIOError:
                return found
            found.append(parsed(datagram))

    def wait_for(self, key: str, value: str, timeout_s: float) -> dict[str, str]:
        """The first message with this assignment; those before it are dropped."""
        self._socket.settimeout(timeout_s)
        try:
            while True:
                message = parsed(self._socket.recv(65536))
                if message.get(key) == value:
                    return message
        finally:
            self._socket.setblocking(False)


def parsed(datagram: bytes) -> dict[str, str]:
    """``KEY=value`` lines; a line without ``=`` breaks the protocol and the test."""
    return dict(line.split("=", 1) for line in datagram.decode().splitlines())
