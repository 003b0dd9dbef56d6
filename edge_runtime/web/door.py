"""Who may come in: on loopback anyone, from elsewhere only who knows the token.

The token is made at the first start and kept in a file that only its owner reads.
"""

from __future__ import annotations

import hmac
import ipaddress
import logging
import os
import secrets
import socket
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from edge_runtime.errors import WebUnavailable

log = logging.getLogger(__name__)

TOKEN_FILE: Final = "web-token"  # noqa: S105 - a name, no secret
SHORTEST_TOKEN: Final = 16
_LOOPBACK_NAMES: Final = frozenset({"localhost", "localhost.localdomain", "ip6-localhost"})


@dataclass(frozen=True, slots=True)
class Door:
    """The address that is served, the names it answers to, and its token."""

    address: str
    """What the server binds, such as ``127.0.0.1`` or ``0.0.0.0``."""
    names: frozenset[str]
    """Host names a browser may use, in lower case."""
    token: str | None = field(repr=False)
    """None: everybody who reaches the address may come in, for it is loopback."""

    def opens_to(self, offered: str) -> bool:
        """Whether ``offered`` is the token; takes as long for a near miss as for a wild guess."""
        if self.token is None:
            return True
        return hmac.compare_digest(offered.encode(), self.token.encode())

    def answers_to(self, name: str, reached_at: str | None) -> bool:
        """Whether a request for host ``name``, which came in at address ``reached_at``, is meant.

        Any name can be made to point here by whoever owns it (DNS rebinding), so names must be
        known. A number cannot: it is right when it is the address the request came in at.
        """
        address = _address_of(name)
        if address is None:
            return name.lower().rstrip(".") in self.names
        if address.is_loopback:
            return True
        return name in self.names or (reached_at is not None and address == _address_of(reached_at))

    def url(self, port: int) -> str:
        """Where to look, with the token in it if there is one: open it once, a cookie follows."""
        host = self.address if _is_certain(self.address) else _name_for_others()
        shown = f"[{host}]" if ":" in host else host
        return f"http://{shown}:{port}/" + (f"?token={self.token}" if self.token else "")


def open_door(
    address: str,
    *,
    state_dir: Path,
    allowed_hosts: Iterable[str] = (),
    hostname: str | None = None,
) -> Door:
    """The door for a server on ``address``; ``hostname`` is this machine's unless given.

    A token is read from ``state_dir``, or made and kept there, when the address can be reached from
    elsewhere. Raises WebUnavailable when it cannot be kept or is too short.
    """
    own = (hostname or socket.gethostname()).lower()
    short = own.partition(".")[0]
    names = {own, short, f"{short}.local", address.lower()} | _LOOPBACK_NAMES
    names |= {host.lower() for host in allowed_hosts}
    token = None if is_loopback(address) else kept_token(state_dir / TOKEN_FILE)
    return Door(address, frozenset(names), token)


def is_loopback(address: str) -> bool:
    """Whether only this machine can reach ``address``."""
    number = _address_of(address)
    return address.lower() in _LOOPBACK_NAMES if number is None else number.is_loopback


def kept_token(path: Path) -> str:
    """The token in ``path``, made on first use. Raises WebUnavailable."""
    try:
        token = _read(path) if path.exists() else _made(path)
    except OSError as error:
        raise WebUnavailable(
            f"the page's token cannot be kept in {path} ({error.strerror}): "
            f"make that folder writable, set state_dir, or serve 127.0.0.1 only"
        ) from error
    if len(token) < SHORTEST_TOKEN:
        raise WebUnavailable(
            f"the token in {path} has {len(token)} characters, {SHORTEST_TOKEN} are needed: "
            f"delete the file and start again for a new one"
        )
    return token


def _read(path: Path) -> str:
    if path.stat().st_mode & 0o077:
        log.warning("%s could be read by others; now only its owner can", path)
        path.chmod(0o600)
    return path.read_text().strip()


def _made(path: Path) -> str:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    token = secrets.token_urlsafe(24)
    unfinished = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(token + "\n")
        file.flush()
        os.fsync(file.fileno())
    # In place at once or not at all: a power cut leaves no half token.
    unfinished.replace(path)
    return token


def _address_of(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _is_certain(address: str) -> bool:
    """False for the wildcards, which name no address a browser could go to."""
    number = _address_of(address)
    return address != "" and (number is None or not number.is_unspecified)


def _name_for_others() -> str:
    """The address of this machine towards the network, else its name."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            # Connecting a datagram socket sends nothing: it only asks the kernel for the route. The
            # address is one reserved for documentation (RFC 5737).
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return f"{socket.gethostname().partition('.')[0]}.local"
        return str(probe.getsockname()[0])
