"""The door as ASGI middleware: whom it lets through, and what the others hear.

Pure ASGI, because wrappers that collect a response would hold back endless ones.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Final
from urllib.parse import parse_qs, urlsplit

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from edge_runtime.web.door import Door
from edge_runtime.web.problem import problem as refusal

COOKIE_DAYS: Final = 90
LONGEST_LOGIN: Final = 4096
SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})

SECURITY_HEADERS: Final = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    # Without it any page the user visits could show the pictures of a runtime on his loopback.
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
}


class SecurityHeaders:
    """Adds what browsers need to be told with every response."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("cache-control", "no-store")
            await send(message)

        await self._app(scope, receive, send_with_headers)


class Guard:
    """Lets through requests that are meant for this machine and know its token."""

    def __init__(self, app: ASGIApp, *, door: Door, login_page: str) -> None:
        self._app = app
        self._door = door
        self._login_page = login_page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        answer = (
            self._misdirected(request) or _embedded_elsewhere(request) or _sent_elsewhere(request)
        )
        if answer is None:
            answer = await self._without_token(request)
        await (answer or self._app)(scope, receive, send)

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
            f"This runtime does not answer to the name {name[:100]!r}. "
            "Use its IP address, or add the name to web.allowed_hosts.",
        )

    async def _without_token(self, request: Request) -> Response | None:
        """What to answer a request that has no right to more; None when it has."""
        if self._door.token is None or _is_public(request.url.path):
            return None
        if request.url.path == "/login" and request.method == "POST":
            return await self._login(request)
        if request.url.path == "/" and "token" in request.query_params:
            return self._answer_to(request, request.query_params["token"])
        if self._knows_token(request):
            return None
        return self._ask(request, "")

    def _knows_token(self, request: Request) -> bool:
        scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return self._door.opens_to(bearer.strip())
        return self._door.opens_to(request.cookies.get(cookie_name(request), ""))

    async def _login(self, request: Request) -> Response:
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > LONGEST_LOGIN:
                return refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "That is no token.")
        fields = parse_qs(body.decode("ascii", "replace"))
        return self._answer_to(request, fields.get("token", [""])[0].strip())

    def _answer_to(self, request: Request, offered: str) -> Response:
        if not self._door.opens_to(offered):
            return self._ask(request, "That is not the token of this runtime.")
        # To the clean address, so that the token stays in no history and no bookmark.
        answer = RedirectResponse("/", HTTPStatus.SEE_OTHER)
        answer.set_cookie(
            cookie_name(request),
            offered,
            max_age=COOKIE_DAYS * 86400,
            httponly=True,
            samesite="strict",
            secure=request.url.scheme == "https",
        )
        return answer

    def _ask(self, request: Request, problem: str) -> Response:
        if "text/html" in request.headers.get("accept", ""):
            page = self._login_page.replace("{{problem}}", problem)
            return HTMLResponse(page, HTTPStatus.UNAUTHORIZED)
        sentence = problem or "This needs the token that the runtime printed when it started."
        return refusal(HTTPStatus.UNAUTHORIZED, sentence, {"www-authenticate": "Bearer"})


def cookie_name(request: Request) -> str:
    """Cookies ignore ports: two runtimes on one machine must not overwrite each other's."""
    server = request.scope.get("server")
    return f"edge_runtime_{server[1] if server else 0}"


def host_name(host: str) -> str:
    """The name in a Host header, without port and brackets; empty when it is malformed."""
    if host.startswith("["):
        name, bracket, _ = host[1:].partition("]")
        return name if bracket else ""
    return host.partition(":")[0] if host.count(":") <= 1 else ""


def _is_public(path: str) -> bool:
    """What tells nothing about this machine: that it runs, and the page's code."""
    return path == "/healthz" or path.startswith("/static/")


def _embedded_elsewhere(request: Request) -> Response | None:
    """Refuse what another site's page asks for, such as the stream as an image; links may come."""
    headers = request.headers
    if headers.get("sec-fetch-site") != "cross-site" or headers.get("sec-fetch-mode") == "navigate":
        return None
    return refusal(HTTPStatus.FORBIDDEN, "Pages of other sites may not use this runtime.")


def _sent_elsewhere(request: Request) -> Response | None:
    """Refuse a change that another site's page asks for, on behalf of whoever looks at it.

    Browsers name the site in Sec-Fetch-Site where they trust the connection, and in Origin always;
    programs name none. Entering the token needs no guarding: who sends it knows it.
    """
    headers = request.headers
    if request.method in SAFE_METHODS or request.url.path == "/login":
        return None
    origin = headers.get("origin")
    if headers.get("sec-fetch-site", "same-origin") in ("same-origin", "none") and (
        origin is None or urlsplit(origin).netloc.lower() == headers["host"].lower()
    ):
        return None
    return refusal(HTTPStatus.FORBIDDEN, "Pages of other sites may not change this runtime.")
