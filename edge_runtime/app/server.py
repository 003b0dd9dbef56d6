"""uvicorn in a worker thread, on a socket bound before anything else starts."""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
import ssl
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from edge_runtime.errors import WebUnavailable

if TYPE_CHECKING:
    import uvicorn
    from fastapi import FastAPI

    from edge_runtime.app.connection import Limits

log = logging.getLogger(__name__)

OF_STRANGERS: Final = (
    "Invalid HTTP request received.",
    "Unsupported upgrade request.",
    "No supported WebSocket library detected.",
)
"""What uvicorn warns of when a stranger sends nonsense: as often as he likes, onto a card."""

GONE_AFTER_MS: Final = 30_000
"""Bytes that nobody acknowledged for so long end a connection."""

MOST_UNSENT: Final = 64 * 1024
"""Bytes the kernel takes ahead of the line: up to 4 MiB by itself, a minute of old pictures."""


def bind(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes any free one. Raises WebUnavailable.

    Bound early, so that a busy port is known before a camera is opened, and browsers that come
    before the page is up wait instead of being refused.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listening = socket.socket(family, kind, protocol)
    except OSError as error:
        raise WebUnavailable(f"web.host {host!r} is no address of this machine: {error}") from error
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # The kernel forgets a viewer whose network vanished; by itself after a quarter of an hour.
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, GONE_AFTER_MS)
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, MOST_UNSENT)
        listening.bind(address)
        listening.listen(128)
    except OSError as error:
        listening.close()
        raise WebUnavailable(_refused(host, port, error)) from error
    return listening


def _refused(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"port {port} on {host} is taken by another program: "
            f"choose another with --port (0 takes any free one) or stop that program"
        )
    if error.errno == errno.EACCES:
        return f"port {port} needs root: choose one above 1023 with --port"
    if error.errno == errno.EADDRNOTAVAIL:
        return f"{host} is no address of this machine: see `ip address`, or use --host 127.0.0.1"
    return f"cannot listen on {host} port {port}: {error.strerror}"


def tls_context(certificate: Path, key: Path) -> ssl.SSLContext:
    """What encrypts the page. Raises WebUnavailable with what is wrong with the files."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        # A key that asks for a passphrase is refused here: nobody is there to type it.
        context.load_cert_chain(certificate, key, password=_no_passphrase)
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        raise WebUnavailable(
            f"web.tls_cert {certificate} and web.tls_key {key} cannot be used ({error}): expected "
            "PEM files that belong together, the key without a passphrase; "
            "`edge-runtime certificate` makes a pair"
        ) from error
    return context


def _no_passphrase() -> str:
    raise ValueError("the key asks for a passphrase")


def make_server(
    app: FastAPI,
    *,
    graceful_shutdown_s: float,
    tls: ssl.SSLContext | None = None,
    trusted_proxies: Sequence[str] = (),
    limits: Limits | None = None,
) -> uvicorn.Server:
    """A uvicorn server that serves ``app`` and leaves logging and signals to us.

    ``trusted_proxies``: addresses whose word about who asks, and how, is believed.
    """
    # 35 ms that only who serves pays.
    import uvicorn  # noqa: PLC0415

    from edge_runtime.app.connection import LARGEST_HEAD, Connection, Limits  # noqa: PLC0415

    class Server(uvicorn.Server):
        """Looks through its connections once a second."""

        async def on_tick(self, counter: int) -> bool:
            if counter % 10 == 0:
                now = asyncio.get_running_loop().time()
                for each in tuple(self.server_state.connections):
                    if isinstance(each, Connection):
                        each.end_if_overdue(now)
            return await super().on_tick(counter)

    limits = limits or Limits(shared_addresses=frozenset(trusted_proxies))
    config = uvicorn.Config(
        app,
        loop="asyncio",
        http=cast("type[asyncio.Protocol]", partial(Connection, limits=limits, tls=tls)),
        h11_max_incomplete_event_size=LARGEST_HEAD,
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        lifespan="off",
        timeout_graceful_shutdown=max(1, round(graceful_shutdown_s)),
        timeout_keep_alive=5,
        proxy_headers=bool(trusted_proxies),
        forwarded_allow_ips=list(trusted_proxies),
        ws="none",
    )
    logging.getLogger("uvicorn.error").addFilter(_not_of_strangers)
    return Server(config)


def _not_of_strangers(record: logging.LogRecord) -> bool:
    return not str(record.msg).startswith(OF_STRANGERS)
