"""Who may come in: on loopback anyone, from elsewhere only who holds a token."""

from __future__ import annotations

import fcntl
import ipaddress
import socket
import struct
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from edge_runtime.errors import WebUnavailable
from edge_runtime.types import Clock
from edge_runtime.web.tokens import TOKEN_FILE, TokenFile, Tokens, utc_now

_LOOPBACK_NAMES: Final = frozenset({"localhost", "localhost.localdomain", "ip6-localhost"})
_SERVICE_STATE: Final = Path("/var/lib/edge-runtime")
_SIOCGIFADDR: Final = 0x8915
"""ioctl that tells an interface's IPv4 address (linux/sockios.h)."""


@dataclass(frozen=True, slots=True)
class Door:
    """The address that is served, the names it answers to, and whose tokens open it."""

    address: str
    """What the server binds, such as ``127.0.0.1`` or ``0.0.0.0``."""
    names: frozenset[str]
    """Host names a browser may use, in lower case."""
    tokens: Tokens | None
    """None: everybody who reaches the address may come in, for it is loopback."""
    origins: frozenset[str] = frozenset()
    """Other sites whose pages may ask for things, with a token, such as ``https://a.example``."""

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

    def url(self, port: int, *, encrypted: bool = False) -> str:
        """Where to look; it holds no secret."""
        host = self.address if _is_certain(self.address) else _name_for_others()
        shown = f"[{host}]" if ":" in host else host
        return f"{'https' if encrypted else 'http'}://{shown}:{port}/"


def open_door(
    address: str,
    *,
    state_dir: Path,
    allowed_hosts: Iterable[str] = (),
    origins: Iterable[str] = (),
    always_ask: bool = False,
    hostname: str | None = None,
    clock: Clock = time.monotonic,
    now: Callable[[], datetime] = utc_now,
) -> Door:
    """The door for a server on ``address``; ``hostname`` is this machine's unless given.

    ``always_ask``: for a token on loopback too. Raises WebUnavailable when a token has to be asked
    for and there is none, or the file of tokens cannot be read.
    """
    own = names_of_this_machine(hostname or socket.gethostname())
    names = own | {address.lower()} | _LOOPBACK_NAMES | {host.lower() for host in allowed_hosts}
    asks = always_ask or not is_loopback(address)
    tokens = _tokens(address, state_dir / TOKEN_FILE, clock, now) if asks else None
    return Door(address, names, tokens, frozenset(origin.lower() for origin in origins))


def _tokens(address: str, path: Path, clock: Clock, now: Callable[[], datetime]) -> Tokens:
    tokens = Tokens(TokenFile(path), clock=clock, now=now)
    if not len(tokens):
        raise WebUnavailable(
            f"the page on {address} asks for a token, and there is none in {path}: make one with "
            f"{_making_one(path.parent)}, or serve this machine only with --host 127.0.0.1"
        )
    return tokens


def _making_one(state_dir: Path) -> str:
    if state_dir == _SERVICE_STATE:
        return "`sudo edge-runtime token new --service`"
    return f"`edge-runtime token new --set state_dir={state_dir}` (as the user this runs as)"


def names_of_this_machine(hostname: str) -> frozenset[str]:
    """What others on the network call it: ``pi.lan``, ``pi`` and ``pi.local``."""
    own = hostname.lower()
    short = own.partition(".")[0]
    return frozenset({own, short, f"{short}.local"})


def is_loopback(address: str) -> bool:
    """Whether only this machine can reach ``address``."""
    number = _address_of(address)
    return address.lower() in _LOOPBACK_NAMES if number is None else number.is_loopback


def own_addresses() -> tuple[str, ...]:
    """IPv4 addresses of this machine's interfaces but loopback. Nothing is sent to learn them."""
    found = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
        for _, interface in socket.if_nameindex():
            request = struct.pack("256s", interface.encode()[:15])
            try:
                answer = fcntl.ioctl(asker, _SIOCGIFADDR, request)
            except OSError:
                continue  # it is down, or has no address
            found.append(ipaddress.IPv4Address(answer[20:24]))
    return tuple(str(address) for address in found if not address.is_loopback)


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
    """The address of this machine's first interface, else its name."""
    addresses = own_addresses()
    return addresses[0] if addresses else f"{socket.gethostname().partition('.')[0]}.local"
