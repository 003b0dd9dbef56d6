"""One connection to the page, with limits: uvicorn alone waits for slow clients for ever.

uvicorn's h11 protocol ends only connections that are idle between two requests. This one also ends
those that are slow with a handshake, a head or a body, or that take nothing of what they asked for,
and makes room by dropping who has asked for nothing yet (docs/decisions/0013-slow-clients.md).
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import ssl
from dataclasses import dataclass
from typing import Any, Final

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle
from uvicorn.protocols.utils import get_remote_addr

from edge_runtime.web.headers import SECURITY_HEADERS

log = logging.getLogger(__name__)

LARGEST_HEAD: Final = 16 * 1024
"""Bytes of a request's first line and headers."""

_SAID: Final = (
    b'{"type":"about:blank","title":"Bad Request","status":400,'
    b'"detail":"What came is no HTTP, or its head is too long."}'
)
_NO_HTTP: Final = b"\r\n".join(
    (
        b"HTTP/1.1 400 Bad Request",
        b"content-type: application/problem+json",
        b"content-length: %d" % len(_SAID),
        b"connection: close",
        *(f"{name}: {value}".encode() for name, value in SECURITY_HEADERS.items()),
        b"",
        _SAID,
    )
)


@dataclass(frozen=True, slots=True)
class Limits:
    """What one client, and all of them together, may take."""

    connections: int = 256
    per_address: int = 64
    """Of one address that is not this machine's own."""
    handshake_s: float = 5.0
    """To agree on encryption."""
    head_s: float = 10.0
    """From the connection, or the last answer, to the end of a request's headers."""
    body_s: float = 10.0
    """Without a byte of a body that was announced."""
    body_grace_s: float = 30.0
    """Of waiting for a body, before what came of it is held against ``body_rate``."""
    body_rate: float = 8 * 1024
    """Bytes a second on average that a body has to come with after that: 64 kbit/s."""
    linger_s: float = 2.0
    """To stop sending a body that was answered before it was read."""
    stall_s: float = 15.0
    """Without taking a byte of an answer; live views are dropped sooner (``Streams.idle_s``)."""
    shared_addresses: frozenset[str] = frozenset()
    """Behind which there are many: proxies."""


class Connection(H11Protocol):
    """uvicorn's own, besides that ``overdue`` says when to give it up, and that it can refuse."""

    def __init__(
        self, *args: Any, limits: Limits, tls: ssl.SSLContext | None = None, **more: Any
    ) -> None:
        super().__init__(*args, **more)
        self._limits = limits
        self._tls = tls
        self._early = bytearray()
        self._handshake: asyncio.Task[None] | None = None
        self.began_at = self._free_at = self._heard_at = self._moved_at = self.loop.time()
        self._unsent = 0
        self._looked_at = self.began_at
        self._body_bytes, self._body_s = 0, 0.0
        self._opened = False

    @property
    def is_waiting(self) -> bool:
        """It has asked for nothing, or was answered."""
        # uvicorn declares the cycle as if there always were one.
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is None or cycle.response_complete

    @property
    def host(self) -> str:
        """The other end's address."""
        return self.client[0] if self.client else ""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self.transport = transport
        self.client = get_remote_addr(transport)
        if not self._has_room():
            log.debug("no room for a connection from %s", self.host)
            transport.abort()
        elif self._tls is None:
            self._open(transport)
        else:
            # Encrypted by us rather than by the listening socket: a handshake counts as a
            # connection, and has its own time limit.
            transport.pause_reading()
            self.connections.add(self)
            self._handshake = self.loop.create_task(self._encrypt(transport, self._tls))

    async def _encrypt(self, transport: asyncio.Transport, tls: ssl.SSLContext) -> None:
        try:
            secure = await self.loop.start_tls(
                transport,
                self,
                tls,
                server_side=True,
                ssl_handshake_timeout=self._limits.handshake_s,
                ssl_shutdown_timeout=self._limits.linger_s,
            )
        except OSError as error:  # also ssl.SSLError, and a handshake that takes too long
            log.debug("no encryption with %s: %s", self.host, error)
            secure = None
        if secure is None:
            self._drop()
            return
        self._open(secure)
        if self._early:
            self.data_received(bytes(self._early))

    def _open(self, transport: asyncio.Transport) -> None:
        self._opened = True
        self._free_at = self.loop.time()
        super().connection_made(transport)

    def data_received(self, data: bytes) -> None:
        if self._opened:
            self._heard_at = self.loop.time()
            self._body_bytes += len(data)
            super().data_received(data)
        else:
            self._early += data  # it came in one piece with the end of the handshake

    def send_400_response(self, msg: str) -> None:
        """As careful as our other answers, and in one piece; nothing into an answer under way."""
        if self.is_waiting or not self.cycle.response_started:
            self.transport.write(_NO_HTTP)
            self.transport.close()
        else:
            self._drop()

    def on_response_complete(self) -> None:
        self._free_at = self.loop.time()
        super().on_response_complete()

    def end_if_overdue(self, now: float) -> None:
        """For whoever looks through all connections once a second."""
        if reason := self.overdue(now):
            log.debug("dropped %s, who %s", self.host, reason)
            self._drop()

    def overdue(self, now: float) -> str | None:
        """Why it should be given up; None while it keeps to the limits."""
        if not self._opened:
            return None  # the handshake has its own limit
        limits, unsent = self._limits, self.transport.get_write_buffer_size()
        if unsent == 0 or unsent != self._unsent:
            self._unsent, self._moved_at = unsent, now
        looked_at, self._looked_at = self._looked_at, now
        if now - self._moved_at > limits.stall_s:
            return "takes nothing"
        if self.conn.their_state is h11.SEND_BODY:
            return self._slow_body(now, now - looked_at)
        self._body_bytes, self._body_s = 0, 0.0
        if self.is_waiting and now - self._free_at > limits.head_s:
            return "is slow with a request"
        return None

    def _slow_body(self, now: float, passed_s: float) -> str | None:
        if self.is_waiting:
            late = now - self._free_at > self._limits.linger_s
            return "goes on sending what nobody reads" if late else None
        if self.flow.read_paused:
            return None  # we are the slow ones
        if now - self._heard_at > self._limits.body_s:
            return "is slow with a body"
        self._body_s += passed_s
        late_s = self._body_s - self._limits.body_grace_s
        return "dribbles a body" if self._body_bytes < late_s * self._limits.body_rate else None

    def _has_room(self) -> bool:
        """Whether one more may come; the oldest that asked for nothing makes room for it."""
        crowd = self._crowd()
        waiting = [each for each in crowd if each.is_waiting]
        if waiting:
            min(waiting, key=lambda each: each.began_at)._drop()
        return bool(waiting) or not crowd

    def _crowd(self) -> list[Connection]:
        """Those of whom one has to go before one more may come."""
        there = [each for each in self.connections if isinstance(each, Connection)]
        if not self._is_shared(self.host):
            alike = [each for each in there if each.host == self.host]
            if len(alike) >= self._limits.per_address:
                return alike
        return there if len(there) >= self._limits.connections else []

    def _is_shared(self, host: str) -> bool:
        try:
            return host in self._limits.shared_addresses or ipaddress.ip_address(host).is_loopback
        except ValueError:
            return False

    def _drop(self) -> None:
        self.connections.discard(self)
        if self._handshake is not None and not self._handshake.done():
            self._handshake.cancel()
        self.transport.abort()
