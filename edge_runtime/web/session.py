"""Whose request it is, as the guard found out, and the part of the API that tells and ends it."""

from __future__ import annotations

from typing import Final, NamedTuple, cast

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from edge_runtime.web.answer import json
from edge_runtime.web.description import API, add_route
from edge_runtime.web.session_report import GONE, Farewell, SessionReport
from edge_runtime.web.tokens import Token, TokenScope

_KEY: Final = "edge_runtime.session"


class Session(NamedTuple):
    """Who asks."""

    asked: bool
    """Whether visitors need a token."""
    token: Token | None
    """None: nobody was asked for one, or none is needed for this address."""


class SessionApi:
    """Nothing of a session is kept here: a browser's cookie is all there is of it."""

    def router(self) -> APIRouter:
        """The routes with their descriptions."""
        router = APIRouter()
        path = f"{API}/session"
        add_route(
            router, "GET", path, self.session, tag="session",
            summary="Who asks, and what he may do", says=SessionReport,
        )  # fmt: skip
        add_route(
            router, "DELETE", path, self.leave, tag="session",
            summary="Log this browser out", says=Farewell,
        )  # fmt: skip
        return router

    async def session(self, request: Request) -> Response:
        """The name and the scope of the token that came with the request."""
        found = of(request.scope)
        ends = found.token.ends_at if found.token else None
        return json(
            SessionReport(
                asked=found.asked,
                name=found.token.name if found.token else None,
                scope=(found.token.scope if found.token else TokenScope.ADMIN).word,
                expires_at=ends.timestamp() if ends else None,
            )
        )

    async def leave(self, request: Request) -> Response:
        """Takes the cookie away. Needs no token: who holds none is logged out already."""
        answer = json(GONE)
        drop_cookie(answer, request)
        return answer


def put(scope: Scope, session: Session) -> None:
    """Leave word for whoever answers the request."""
    scope[_KEY] = session


def of(scope: Scope) -> Session:
    """What the guard found out."""
    return cast(Session, scope[_KEY])


def cookie_name(request: Request) -> str:
    """Cookies ignore ports: two runtimes on one machine must not overwrite each other's."""
    server = request.scope.get("server")
    return f"edge_runtime_{server[1] if server else 0}"


def keep_cookie(answer: Response, request: Request, value: str, *, lives_s: int) -> None:
    """Let the browser keep a cookie that no script can read and no other site sends."""
    answer.set_cookie(
        cookie_name(request),
        value,
        max_age=lives_s,
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )


def drop_cookie(answer: Response, request: Request) -> None:
    """Let the browser forget it."""
    answer.delete_cookie(
        cookie_name(request),
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )
