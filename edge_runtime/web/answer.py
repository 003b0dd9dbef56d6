"""JSON answers with an ETag, so that who asks again for what he has is told just that."""

from __future__ import annotations

import hashlib
from http import HTTPStatus
from typing import Annotated, Any, Final

from fastapi import Header
from starlette.responses import Response

from edge_runtime.web.report import Report

JSON: Final = "application/json"

IfNoneMatch = Annotated[
    str | None, Header(description="The ETag of an earlier answer: 304 when it still holds")
]

UNCHANGED: Final[dict[int | str, dict[str, Any]]] = {
    304: {"description": "It is as the ETag in `If-None-Match` says"}
}


def json(report: Report, status: HTTPStatus = HTTPStatus.OK) -> Response:
    """What was done, or what is only true now."""
    return Response(report.model_dump_json(), status, media_type=JSON)


def tagged(report: Report, if_none_match: str | None) -> Response:
    """A report that may be asked for again: 304 without a body when nothing has changed."""
    return tagged_body(report.model_dump_json().encode(), if_none_match)


def tagged_body(body: bytes, if_none_match: str | None) -> Response:
    """The same of what is JSON already."""
    # Not for security, only to tell answers apart; 16 bytes never collide by chance.
    etag = f'"{hashlib.blake2s(body, digest_size=16).hexdigest()}"'
    headers = {"etag": etag, "cache-control": "private, no-cache"}
    if _holds(etag, if_none_match):
        return Response(None, HTTPStatus.NOT_MODIFIED, headers)
    return Response(body, media_type=JSON, headers=headers)


def _holds(etag: str, if_none_match: str | None) -> bool:
    """Weak comparison, as RFC 9110 13.1.2 asks: proxies that compress make our tags weak."""
    known = (if_none_match or "").split(",")
    return any(each.strip().removeprefix("W/") in (etag, "*") for each in known)
