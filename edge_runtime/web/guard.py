"""The door as ASGI middleware: whom it lets through, and what the others hear.

Pure ASGI, because wrappers that collect a response would hold back endless ones.
"""

from __future__ import annotations

import asyncio
import re
from html import escape
from http import HTTPStatus
from typing import Final
from urllib.parse import parse_qs, urlsplit

from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from edge_runtime.web.backoff import Backoff
from edge_runtime.web.door import Door
from edge_runtime.web.problem import problem as refusal
from edge_runtime.web.rights import needed_for, takes_files
from edge_runtime.web.session import Session, cookie_name, drop_cookie, keep_cookie, put
from edge_runtime.web.tokens import Token, Tokens, TokenScope, cookie_of
from edge_runtime.web.watch import LARGEST_BODY, Watch

COOKIE_DAYS: Final = 90
LONGEST_LOGIN: Final = 4096
LOGIN_S: Final = 10.0
"""So long the few bytes of a login may take."""
SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})

_NAME: Final = re.compile(r"[A-Za-z0-9._:-]{1,100}")
_ASK: Final = "This needs a token: make one with `edge-runtime token new` on the runtime's machine."
_WRONG: Final = "That is no token of this runtime, or it was revoked."
_EXPIRED: Final = (
    "The token {!r} expired at {}: make a new one with `edge-runtime token new` on the runtime's "
    "machine."
)
_MAY: Final = {
    TokenScope.STATS: "see figures",
    TokenScope.VIEW: "see figures and pictures",
    TokenScope.ADMIN: "do everything",
}


class Guard:
    """Lets through requests that are meant for this machine and come with a token it knows."""

    def __init__(self, app: ASGIApp, *, door: Door, backoff: Backoff, login_page: str) -> None:
        self._app = app
        self._door = door
        self._backoff = backoff
        self._login_page = login_page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            await self._answer(scope, receive, send)
        else:
            # There are no web sockets here, so none can be a way around what follows.
            await send({"type": "websocket.close", "code": 1008})

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        answer = (
            self._misdirected(request)
            or self._embedded_elsewhere(request)
            or self._sent_elsewhere(request)
        )
        if answer is None:
            answer = await self._login_or_admit(request, send)
        if answer is not None:
            await answer(scope, receive, send)

    def _misdirected(self, request: Request) -> Response | None:
        """Refuse a Host header that does not name this machine."""
        hosts = request.headers.getlist("host")
        if len(hosts) != 1 or not (name := host_name(hosts[0])):
            return refusal(HTTPStatus.BAD_REQUEST, "The request names no host, or more than one.")
        server = request.scope.get("server")
        if self._door.answers_to(name, server[0] if server else None):
            return None
        return refusal(
            HTTPStatus.MISDIRECTED_REQUEST,
            f"This runtime does not answer to {_shown(name)}. "
            "Use its IP address, or add the name to web.allowed_hosts.",
        )

    def _embedded_elsewhere(self, request: Request) -> Response | None:
        """Refuse what another site's page shows, such as the stream as an image; links may come."""
        headers = request.headers
        if (
            headers.get("sec-fetch-site") != "cross-site"
            or headers.get("sec-fetch-mode") == "navigate"
            or self._is_invited(headers.get("origin"))
        ):
            return None
        return refusal(HTTPStatus.FORBIDDEN, "Pages of other sites may not use this runtime.")

    def _sent_elsewhere(self, request: Request) -> Response | None:
        """Refuse a change that another site's page asks for, on behalf of whoever looks at it.

        Browsers name the site in Sec-Fetch-Site where they trust the connection, and in Origin
        always; programs name none.
        """
        headers = request.headers
        origin = headers.get("origin")
        if request.method in SAFE_METHODS or self._is_invited(origin):
            return None
        if headers.get("sec-fetch-site", "same-origin") in ("same-origin", "none") and (
            origin is None or urlsplit(origin).netloc.lower() == headers["host"].lower()
        ):
            return None
        return refusal(HTTPStatus.FORBIDDEN, "Pages of other sites may not change this runtime.")

    def _is_invited(self, origin: str | None) -> bool:
        return origin is not None and origin.lower() in self._door.origins

    async def _login_or_admit(self, request: Request, send: Send) -> Response | None:
        """What to answer; None when it was answered."""
        tokens = self._door.tokens
        if request.url.path != "/login":
            return await self._admit(request, send, tokens)
        if tokens is None:
            return RedirectResponse("/", HTTPStatus.SEE_OTHER)  # nobody needs to log in
        if request.method == "POST":
            return self._pause(request) or await self._login(request, tokens)
        return self._login_answer("", HTTPStatus.OK)

    async def _admit(self, request: Request, send: Send, tokens: Tokens | None) -> Response | None:
        """Let the app answer whoever has the right; what to answer others."""
        needed = needed_for(request.method, request.url.path)
        token: Token | None = None
        if tokens is not None and needed is not None:
            found = self._identified(request, tokens)
            if isinstance(found, Response):
                return found
            token = found
            if token.scope < needed:
                return _beyond(token, needed)
        put(request.scope, Session(asked=tokens is not None, token=token))
        watch = Watch(
            request.scope,
            request.receive,
            send,
            may_stay=lambda: token is None or tokens is None or tokens.holds(token),
            largest_body=None if takes_files(request.method, request.url.path) else LARGEST_BODY,
        )
        await watch.run(self._app)
        return None

    def _identified(self, request: Request, tokens: Tokens) -> Token | Response:
        """Whose request it is, or what to answer."""
        scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
        cookie = request.cookies.get(cookie_name(request), "")
        if not cookie and scheme.lower() != "bearer":
            return self._ask(request, "")
        if pause := self._pause(request):
            return pause
        # A program says who it is; a browser's cookie comes along unasked.
        spoken = scheme.lower() == "bearer"
        token = tokens.by_token(bearer.strip()) if spoken else tokens.by_cookie(cookie)
        if token is None or tokens.expired(token):
            answer = self._turned_away(request, token)
            drop_cookie(answer, request)
            return answer
        self._backoff.succeeded(_address(request))
        return token

    def _turned_away(self, request: Request, expired: Token | None) -> Response:
        """What a wrong token hears, or one that has ended; both count as a guess."""
        self._backoff.failed(_address(request))
        sentence = _EXPIRED.format(expired.name, expired.expires) if expired else _WRONG
        return self._ask(request, sentence)

    def _pause(self, request: Request) -> Response | None:
        """Nothing is compared for an address that guessed too often just now."""
        wait_s = self._backoff.wait_s(_address(request))
        if not wait_s:
            return None
        sentence = f"Too many wrong tokens came from your address. Try again in {wait_s} s."
        headers = {"retry-after": str(wait_s)}
        if _wants_page(request):
            return self._login_answer(sentence, HTTPStatus.TOO_MANY_REQUESTS, headers)
        return refusal(HTTPStatus.TOO_MANY_REQUESTS, sentence, headers)

    async def _login(self, request: Request, tokens: Tokens) -> Response:
        body = bytearray()
        try:
            async with asyncio.timeout(LOGIN_S):
                async for chunk in request.stream():
                    body += chunk
                    if len(body) > LONGEST_LOGIN:
                        return refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "That is no token.")
        except (TimeoutError, ClientDisconnect):
            return refusal(HTTPStatus.REQUEST_TIMEOUT, "The token did not arrive in time.")
        fields = parse_qs(body.decode("ascii", "replace"))
        offered = fields.get("token", [""])[0].strip()
        token = tokens.by_token(offered)
        if token is None or tokens.expired(token):
            return self._turned_away(request, token)
        self._backoff.succeeded(_address(request))
        answer = RedirectResponse("/", HTTPStatus.SEE_OTHER)
        lives_s = int(min(COOKIE_DAYS * 86400, tokens.left_s(token)))
        keep_cookie(answer, request, cookie_of(offered), lives_s=lives_s)
        return answer

    def _ask(self, request: Request, problem: str) -> Response:
        if _wants_page(request):
            return self._login_answer(problem, HTTPStatus.UNAUTHORIZED)
        return refusal(HTTPStatus.UNAUTHORIZED, problem or _ASK, {"www-authenticate": "Bearer"})

    def _login_answer(
        self, problem: str, status: HTTPStatus, headers: dict[str, str] | None = None
    ) -> Response:
        return HTMLResponse(
            self._login_page.replace("{{problem}}", escape(problem)), status, headers
        )


def host_name(host: str) -> str:
    """The name in a Host header, without port and brackets; empty when it is malformed."""
    if host.startswith("["):
        name, bracket, _ = host[1:].partition("]")
        return name if bracket else ""
    return host.partition(":")[0] if host.count(":") <= 1 else ""


def _shown(name: str) -> str:
    """A name that could be one; what else stands there may be anything, and is not repeated."""
    return f"the name {name!r}" if _NAME.fullmatch(name) else "that name"


def _beyond(token: Token, needed: TokenScope) -> Response:
    sentence = (
        f"The token {token.name!r} may {_MAY[token.scope]}; this needs one with the scope "
        f"{needed.word}."
    )
    return refusal(HTTPStatus.FORBIDDEN, sentence)


def _address(request: Request) -> str:
    return request.client.host if request.client else ""


def _wants_page(request: Request) -> bool:
    return "text/html" in request.headers.get("accept", "")
