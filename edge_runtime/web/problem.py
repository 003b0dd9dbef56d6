"""Errors as the API says them: one JSON object with one sentence (RFC 9457, problem+json)."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from pydantic import Field
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from edge_runtime.web.report import Report

MEDIA_TYPE: Final = "application/problem+json"

_OURS: Final = (
    "The runtime made a mistake while it answered. Its log says which: journalctl -u edge-runtime."
)


class Problem(Report):
    """What went wrong, and what to do."""

    type: str = Field(default="about:blank", description="Always `about:blank`: `status` says all")
    title: str = Field(description="The status in words", examples=["Not Found"])
    status: int = Field(description="As in the answer's first line", examples=[404])
    detail: str = Field(
        description="One sentence: what, and what to do",
        examples=["There is no camera 'yard': expected one of front, back."],
    )
    manifest: str | None = Field(
        default=None,
        description="Of an upload: a manifest.json to fill in, when that is all that is missing",
    )


def problem(
    status: int,
    detail: str,
    headers: Mapping[str, str] | None = None,
    *,
    manifest: str | None = None,
) -> Response:
    """The answer to a request that is refused or failed."""
    said = Problem(title=HTTPStatus(status).phrase, status=status, detail=detail, manifest=manifest)
    # What is not there is left out rather than null: RFC 9457 knows no empty members.
    body = said.model_dump_json(exclude_none=True)
    return Response(body, status, headers, MEDIA_TYPE)


def say_problems(app: FastAPI) -> None:
    """Let every error of ``app`` be answered with a problem, also those that FastAPI raises."""
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(RequestValidationError, _unreadable)
    app.add_exception_handler(Exception, _broken)


async def _refused(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    detail = error.detail
    if detail == HTTPStatus(error.status_code).phrase:  # raised by the router, in no more words
        detail = _unrouted(request, error.status_code)
    return problem(error.status_code, detail, error.headers)


def _unrouted(request: Request, status: int) -> str:
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        return f"{request.url.path} does not take {request.method}: /docs says what it takes."
    return f"There is no {request.url.path} here: /docs lists what there is."


async def _unreadable(request: Request, error: Exception) -> Response:
    flaws = error.errors() if isinstance(error, RequestValidationError) else []
    where = ", ".join(f"{'.'.join(map(str, flaw['loc']))}: {flaw['msg']}" for flaw in flaws)
    return problem(422, f"The request cannot be understood ({where}).")


async def _broken(request: Request, error: Exception) -> Response:
    # Said to whoever asked; the server logs the error itself, with its traceback.
    return problem(500, _OURS)
