"""One request over a connection of its own, and what can go wrong in one sentence."""

from __future__ import annotations

import http.client
import json
import ssl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import IO, Any, Final

from edge_runtime.client.address import Address
from edge_runtime.errors import ConfigError, ServiceRefused, ServiceUnreachable

Response = http.client.HTTPResponse
Body = bytes | IO[bytes] | None

LONGEST_PROBLEM: Final = 1 << 20


def tls_context(verify: bool | Path) -> ssl.SSLContext:
    """What to believe: True the system's authorities, a file those in it, False anybody.

    Raises ConfigError when the file holds no certificate.
    """
    if isinstance(verify, Path):
        try:
            return ssl.create_default_context(cafile=str(verify))
        except (OSError, ssl.SSLError) as error:
            reason = error.strerror or "no certificate in it"
            raise ConfigError(
                f"{verify} cannot be used to check the runtime's certificate: {reason}; "
                f"expected a PEM file, such as the certificate itself"
            ) from error
    context = ssl.create_default_context()
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


@contextmanager
def asked(
    address: Address,
    method: str,
    path: str,
    *,
    headers: Mapping[str, str],
    timeout_s: float,
    context: ssl.SSLContext | None,
    body: Body = None,
    takes: Sequence[int] = (),
) -> Iterator[Response]:
    """The answer while it is read; raises ServiceUnreachable.

    Raises ServiceRefused for every status from 300 on that is not in ``takes``. No redirect is
    followed, so a token goes to nobody else.
    """
    connection = _connection(address, timeout_s, context)
    try:
        connection.request(method, address.path + path, body, dict(headers))
        answer = connection.getresponse()
        if answer.status >= HTTPStatus.MULTIPLE_CHOICES and answer.status not in takes:
            raise _refused(address, answer)
        yield answer
    except (OSError, http.client.HTTPException) as error:
        if isinstance(error, ServiceRefused | ServiceUnreachable):
            raise
        raise ServiceUnreachable(_why(address, error, timeout_s)) from error
    finally:
        connection.close()


def _connection(
    address: Address, timeout_s: float, context: ssl.SSLContext | None
) -> http.client.HTTPConnection:
    if context is not None:
        return http.client.HTTPSConnection(
            address.host, address.port, timeout=timeout_s, context=context
        )
    return http.client.HTTPConnection(address.host, address.port, timeout=timeout_s)


def _refused(address: Address, answer: Response) -> ServiceRefused:
    said = _problem(answer.read(LONGEST_PROBLEM))
    detail = said.get("detail")
    if not isinstance(detail, str):
        detail = f"{address} answered {answer.status} without a reason: is it an edge-runtime?"
    manifest = said.get("manifest")
    return ServiceRefused(
        detail, answer.status, manifest=manifest if isinstance(manifest, str) else None
    )


def _problem(body: bytes) -> dict[str, Any]:
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return {}  # Somebody else's error page; the caller says so.
    return said if isinstance(said, dict) else {}


def _why(address: Address, error: Exception, timeout_s: float) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return (
            f"{address} shows a certificate that is not trusted ({error.verify_message}): "
            f"name its file, or do not verify on a network you trust"
        )
    if isinstance(error, TimeoutError):
        return f"{address} did not answer within {timeout_s:g} s: is the board on and in reach?"
    if isinstance(error, ConnectionRefusedError):
        return f"nothing listens at {address}: start it with `edge-runtime run`, or check the port"
    if isinstance(error, http.client.HTTPException):
        return f"{address} broke off, or speaks no HTTP ({type(error).__name__}): check the port"
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return f"{address} cannot be reached: {reason}"
