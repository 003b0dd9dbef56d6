"""Keeps an eye on one request while it runs: how much it sends, and whether it still may.

Pure ASGI: it passes messages on as they come, so endless responses flow.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from http import HTTPStatus
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from edge_runtime.web.problem import problem

log = logging.getLogger(__name__)

LARGEST_BODY: Final = 64 * 1024
"""Bytes of a request; files that are handed in are limited where they are read."""


class Watch:
    """One request of somebody who was let in."""

    def __init__(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        *,
        may_stay: Callable[[], bool],
        largest_body: int | None,
    ) -> None:
        self._scope, self._receive, self._send = scope, receive, send
        self._may_stay = may_stay
        self._largest = largest_body
        self._taken = 0
        self._began = self._ended = self._counted = False

    async def run(self, app: ASGIApp) -> None:
        """Let ``app`` answer, as far as it may."""
        await app(self._scope, self._receive_some, self._send_some)

    async def _receive_some(self) -> Message:
        """What the body brings; beyond its limit it counts as broken off, and 413 is the answer."""
        message = await self._receive()
        if message["type"] == "http.request":
            self._taken += len(message.get("body", b""))
            if self._too_large or not self._may_stay():
                return {"type": "http.disconnect"}
        return message

    async def _send_some(self, message: Message) -> None:
        if self._ended:
            return
        if message["type"] == "http.response.start" and self._too_large:
            await self._instead(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, _TOO_LARGE)
        elif self._counted or self._may_stay():
            await self._pass(message)
        else:
            await self._turn_out()

    async def _pass(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._began = True
            # What was promised in bytes has to be kept; it is on its way already.
            self._counted = any(name == b"content-length" for name, _ in message["headers"])
        await self._send(message)

    async def _turn_out(self) -> None:
        """End what is under way: nothing of this message has left."""
        if not self._began:
            await self._instead(HTTPStatus.UNAUTHORIZED, _REVOKED)
            return
        self._ended = True
        log.info("ended a response of %s: its token was revoked or expired", self._scope["path"])
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _instead(self, status: HTTPStatus, sentence: str) -> None:
        self._began = self._ended = True
        # The rest of the body is not read, so nothing more can be said on this connection.
        answer = problem(status, sentence, {"connection": "close"})
        await answer(self._scope, self._receive, self._send)

    @property
    def _too_large(self) -> bool:
        return self._largest is not None and self._taken > self._largest


_TOO_LARGE: Final = (
    f"The request holds more than {LARGEST_BODY >> 10} KiB, which nothing here does."
)
_REVOKED: Final = "The token was revoked or expired meanwhile. Ask for another one."
