"""Errors as the API says them: one JSON object with one sentence (RFC 9457, problem+json)."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route

from edge_runtime.web.headers import SECURITY_HEADERS
from edge_runtime.web.report import Problem

MEDIA_TYPE: Final = "application/problem+json"

_OURS: Final = (
    "The runtime made a mistake while it answered. Its log says which: journalctl -u edge-runtime."
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
    detail, headers = error.detail, error.headers
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        # The router knows only the first route of this address; others take other methods.
        headers = {"allow": ", ".join(sorted(_methods(request)))}
    if detail == HTTPStatus(error.status_code).phrase:  # raised by the router, in no more words
        detail = _unrouted(request, error.status_code)
    return problem(error.status_code, detail, headers)


def _methods(request: Request) -> set[str]:
    """What can be asked of this address."""
    routes = (route for route in request.app.routes if isinstance(route, Route))
    met = (route for route in routes if route.matches(request.scope)[0] is not Match.NONE)
    return {method for route in met for method in route.methods or ()}


def _unrouted(request: Request, status: int) -> str:
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        return f"{request.url.path} does not take {request.method}: /docs says what it takes."
    return f"There is no {request.url.path} here: /docs lists what there is."


async def _unreadable(request: Request, error: Exception) -> Response:
    flaws = error.errors() if isinstance(error, RequestValidationError) else []
    where = ", ".join(f"{_place(flaw['loc'])}: {flaw['msg']}" for flaw in flaws)
    return problem(422, f"The request cannot be understood ({where}).")


def _place(location: tuple[str | int, ...]) -> str:
    """Where in the request, as whoever wrote it would say: ``?name=``, ``body.version``."""
    if location[0] == "query":
        return f"?{location[-1]}="
    return ".".join(map(str, location))


async def _broken(request: Request, error: Exception) -> Response:
    # Said to whoever asked; the server logs the error itself, with its traceback.
    # This answer is made outside of every middleware.
    return problem(500, _OURS, SECURITY_HEADERS)
