"""An action that sends the event as JSON to a web address: tried again, but never for ever."""

from __future__ import annotations

import http.client
import io
import json
import logging
import socket
import ssl
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from edge_runtime.errors import ActionFailed, ActionUnavailable
from edge_runtime.events.action import Action, Firing, Wait
from edge_runtime.masking import masked_webhook
from edge_runtime.types import Clock

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

log = logging.getLogger(__name__)

FIRST_PAUSE_S: Final = 1.0
"""Before the second try; doubles with each."""

TRY_AGAIN: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Answers that may be better next time."""


class WebhookAction(Action):
    """Raises ActionUnavailable when a file cannot be read or holds no headers or certificates.

    Certificates are always verified. Redirections are not followed: the event and its secret go to
    the address that was configured, or nowhere.
    """

    def __init__(
        self,
        address: str,
        *,
        headers_file: Path | None = None,
        ca_file: Path | None = None,
        timeout_s: float = 5.0,
        tries: int = 3,
        clock: Clock = time.monotonic,
    ) -> None:
        self._parts = urlsplit(address)
        self.description = f"POST to {masked_webhook(address)}"
        self._headers_file, self._timeout_s, self._tries = headers_file, timeout_s, tries
        self._clock = clock
        self._connection: http.client.HTTPConnection | None = None
        self._cancelled = False
        self._tls = _tls(ca_file) if self._parts.scheme == "https" else None
        self._secrets()  # a missing file is better known now than when somebody is at the door

    description = ""

    def run(self, firing: Firing, wait: Wait) -> None:
        body = json.dumps(firing.as_json()).encode()
        for attempt in range(self._tries):
            pause_s = FIRST_PAUSE_S * 2 ** (attempt - 1)
            if self._cancelled or (attempt and wait(pause_s)):
                raise ActionFailed(f"{self.description}: given up because the rule ends")
            problem, again = self._attempt(firing, body)
            if problem is None:
                return
            if not again:
                break
            log.debug("rule %s: try %d: %s", firing.rule, attempt + 1, problem)
        tries = "" if attempt == 0 else f" ({attempt + 1} tries)"
        raise ActionFailed(f"{self.description}: {problem}{tries}")

    def cancel(self) -> None:
        self._cancelled = True
        connection = self._connection
        sock = None if connection is None else connection.sock
        if sock is not None:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError as error:  # it was just closed, or not open yet: then it ends as well
                log.debug("%s: %s", self.description, error)

    def _attempt(self, firing: Firing, body: bytes) -> tuple[str | None, bool]:
        """Why it failed, and whether another try may help; None when it did not fail."""
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "edge-runtime",
            # The same for each try, so that a receiver can tell a second copy from a second event.
            "Idempotency-Key": f"{firing.rule}-{firing.event.id}",
            "Connection": "close",
        } | self._secrets()
        connection = self._connection = self._connect()
        try:
            connection.request("POST", self._target, body, headers)
            answer = connection.getresponse()
        except ssl.SSLCertVerificationError as error:
            return f"its certificate is not trusted: {error.verify_message}", False
        except (OSError, http.client.HTTPException) as error:
            return _reason(error, self._timeout_s), True
        finally:
            connection.close()
            self._connection = None
        if 200 <= answer.status < 300:
            return None, False
        moved = " (redirections are not followed)" if 300 <= answer.status < 400 else ""
        return f"it answered {answer.status} {answer.reason}{moved}", answer.status in TRY_AGAIN

    @property
    def _target(self) -> str:
        path = self._parts.path or "/"
        return f"{path}?{self._parts.query}" if self._parts.query else path

    def _connect(self) -> http.client.HTTPConnection:
        host, port = self._parts.hostname or "", self._parts.port
        connection: http.client.HTTPConnection
        if self._tls is None:
            connection = http.client.HTTPConnection(host, port, timeout=self._timeout_s)
        else:
            connection = http.client.HTTPSConnection(
                host, port, timeout=self._timeout_s, context=self._tls
            )
        connection.response_class = partial(_Answer, self._clock() + self._timeout_s, self._clock)  # type: ignore[assignment]
        return connection

    def _secrets(self) -> dict[str, str]:
        """Read for each event: a secret may be exchanged while the program runs."""
        return {} if self._headers_file is None else read_headers(self._headers_file)


class _Answer(http.client.HTTPResponse):
    """All of it comes before the deadline: a socket's own timeout begins anew with every byte."""

    def __init__(
        self,
        deadline: float,
        clock: Clock,
        sock: socket.socket,
        debuglevel: int = 0,
        method: str | None = None,
        url: str | None = None,
    ) -> None:
        super().__init__(sock, debuglevel, method, url)
        self.fp.close()
        self.fp = io.BufferedReader(_Until(sock, deadline, clock))


class _Until(io.RawIOBase):
    def __init__(self, sock: socket.socket, deadline: float, clock: Clock) -> None:
        self._sock, self._deadline, self._clock = sock, deadline, clock

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        left = self._deadline - self._clock()
        if left <= 0:
            raise TimeoutError
        self._sock.settimeout(left)
        return self._sock.recv_into(buffer)


def read_headers(path: Path) -> dict[str, str]:
    """The ``Name: value`` lines of a file. Raises ActionUnavailable, without what is in it."""
    try:
        lines = path.read_text("latin-1").splitlines()
    except OSError as error:
        raise ActionUnavailable(f"{path} cannot be read: {error.strerror}") from error
    headers: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        name, colon, value = line.partition(":")
        token = name.replace("-", "").replace("_", "")
        if not colon or not token.isascii() or not token.isalnum() or not value.strip():
            raise ActionUnavailable(
                f"{path} line {number} is no header: expected a line such as "
                "`Authorization: Bearer …`"
            )
        headers[name] = value.strip()
    return headers


def _tls(ca_file: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=None if ca_file is None else str(ca_file))
    except (OSError, ssl.SSLError) as error:
        raise ActionUnavailable(
            f"{ca_file} holds no certificates that can be read: {error.strerror or error}"
        ) from error


def _reason(error: OSError | http.client.HTTPException, timeout_s: float) -> str:
    if isinstance(error, TimeoutError):
        return f"no answer within {timeout_s:g} s"
    if isinstance(error, socket.gaierror):
        return f"its name is not known: {error.strerror}"
    if isinstance(error, OSError):
        return error.strerror or str(error) or type(error).__name__
    return f"it does not speak HTTP ({type(error).__name__})"
