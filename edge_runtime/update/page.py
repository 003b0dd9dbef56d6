"""Whether the page of the runtime on this machine says that frames flow."""

from __future__ import annotations

import http.client
import json
import ssl
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

TIMEOUT_S: Final = 5.0

_LONGEST: Final = 1 << 16

_NEEDS_TOKEN: Final = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)


def why_not_ready(url: str) -> str | None:
    """What ``/readyz`` below ``url`` says; None when it is ready, or asks for a token.

    A page with tokens tells nothing to us, who have none, but it answers; that frames flow is then
    known from systemd, whose watchdog is fed by them.
    """
    try:
        status, body = _get(url)
    except (OSError, http.client.HTTPException) as error:
        return f"its page does not answer at {url} ({error})"
    if status == HTTPStatus.OK or status in _NEEDS_TOKEN:
        return None
    return _reason(body) or f"its page answers {status}"


def _get(url: str) -> tuple[int, bytes]:
    split = urlsplit(url)
    host, port = split.hostname or "127.0.0.1", split.port
    if split.scheme == "https":
        # This machine's own address, and nothing is told: who answers need not be proven.
        context = ssl._create_unverified_context()  # noqa: S323
        connection: http.client.HTTPConnection = http.client.HTTPSConnection(
            host, port, timeout=TIMEOUT_S, context=context
        )
    else:
        connection = http.client.HTTPConnection(host, port, timeout=TIMEOUT_S)
    try:
        connection.request("GET", f"{split.path}/readyz")
        answer = connection.getresponse()
        return answer.status, answer.read(_LONGEST)
    finally:
        connection.close()


def _reason(body: bytes) -> str | None:
    try:
        said = json.loads(body)
    except ValueError:
        return None  # Somebody else's page; its status says it all.
    reason = said.get("reason") if isinstance(said, dict) else None
    return reason if isinstance(reason, str) else None
