"""uvicorn in a worker thread, on a socket bound before anything else starts."""

from __future__ import annotations

import errno
import logging
import socket
from typing import TYPE_CHECKING, Final

from edge_runtime.errors import WebUnavailable

if TYPE_CHECKING:
    import uvicorn
    from fastapi import FastAPI

log = logging.getLogger(__name__)

GONE_AFTER_MS: Final = 30_000
"""Bytes that nobody acknowledged for so long end a connection."""


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


def make_server(app: FastAPI, *, graceful_shutdown_s: float) -> uvicorn.Server:
    """A uvicorn server that serves ``app`` and leaves logging and signals to us."""
    import uvicorn  # noqa: PLC0415 - 35 ms that only who serves pays

    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        lifespan="off",
        timeout_graceful_shutdown=max(1, round(graceful_shutdown_s)),
        timeout_keep_alive=5,
        limit_concurrency=256,
        ws="none",
    )
    return uvicorn.Server(config)
