"""Where a package comes from: a file, or an address on the web."""

from __future__ import annotations

import http.client
import ipaddress
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.client import HTTPMessage
from pathlib import Path
from typing import IO, Final
from urllib.parse import urlsplit

from edge_runtime.errors import UpdateRefused

PIECE: Final = 1 << 20
"""Bytes in memory at a time."""

TIMEOUT_S: Final = 60.0
"""Without a single byte."""


def pieces_of(offered: str, *, allow_http: bool) -> Iterator[bytes]:
    """The bytes of a file or of what an address answers. Raises UpdateRefused."""
    return _fetched(offered, allow_http) if "://" in offered else _read(Path(offered))


def _read(file: Path) -> Iterator[bytes]:
    try:
        with file.open("rb") as opened:
            yield from _in_pieces(opened)
    except OSError as error:
        raise UpdateRefused(f"{file} cannot be read: {error.strerror or error}") from error


def _fetched(url: str, allow_http: bool) -> Iterator[bytes]:
    _require_safe(url, allow_http)
    opener = urllib.request.build_opener(_SafeRedirects(allow_http))
    try:
        with opener.open(url, timeout=TIMEOUT_S) as answer:
            expected = answer.headers["Content-Length"]
            arrived = 0
            for piece in _in_pieces(answer):
                arrived += len(piece)
                yield piece
            if expected is not None and arrived != int(expected):
                raise UpdateRefused(
                    f"{url} broke off after {arrived} of {expected} bytes; try again"
                )
    except urllib.error.HTTPError as error:
        raise UpdateRefused(f"{url} answered {error.code} {error.reason}") from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        if isinstance(error, UpdateRefused):
            raise
        reason = getattr(error, "reason", None) or error
        raise UpdateRefused(f"{url} cannot be fetched: {reason}") from error


def _in_pieces(opened: IO[bytes]) -> Iterator[bytes]:
    while piece := opened.read(PIECE):
        yield piece


def _require_safe(url: str, allow_http: bool) -> None:
    split = urlsplit(url)
    if split.scheme == "https" or (split.scheme == "http" and _is_here(split.hostname or "")):
        return
    if split.scheme == "http" and allow_http:
        return
    raise UpdateRefused(
        f"{url} is refused: whoever is on the way could put another package there, and it would "
        "be installed by root; expected https://…, or --allow-http together with --sha256"
    )


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class _SafeRedirects(urllib.request.HTTPRedirectHandler):
    """What is not safe to ask for is not safe to be sent to."""

    def __init__(self, allow_http: bool) -> None:
        self._allow_http = allow_http

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        _require_safe(newurl, self._allow_http)
        return super().redirect_request(req, fp, code, msg, headers, newurl)
