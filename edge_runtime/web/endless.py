"""A response that lasts until the viewer leaves, gets stuck, or the program stops."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import ExitStack
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from edge_runtime.web.streams import Streams

log = logging.getLogger(__name__)

END = {"type": "http.response.body", "body": b"", "more_body": False}


class EndlessResponse(Response):
    """Sends what ``chunks`` yields. A viewer who takes nothing for ``streams.idle_s`` is dropped.

    ``chunks`` and then ``place`` (what the viewer takes up) are closed as soon as he is gone or
    dropped, whatever they wait for: his place is free while a stuck connection still lingers.
    """

    def __init__(
        self,
        chunks: AsyncGenerator[bytes, None],
        *,
        media_type: str,
        streams: Streams,
        place: ExitStack | None = None,
    ) -> None:
        super().__init__(media_type=media_type)
        del self.headers["content-length"]
        self.headers["cache-control"] = "no-store"
        # Proxies such as nginx collect a response before they pass it on, unless told.
        self.headers["x-accel-buffering"] = "no"
        self._chunks = chunks
        self._streams = streams
        self._place = place or ExitStack()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._streams.opened() as ended:
            gone = asyncio.create_task(_left(receive))
            ending = asyncio.create_task(ended.wait())
            sending = asyncio.create_task(self._send_all(scope, send))
            try:
                await _first(sending, gone, ending)
                await _cancelled(sending)
                if not sending.cancelled():
                    sending.result()
                if not gone.done():
                    await _finish(send, gone, ending)
            finally:
                await _cancelled(sending, gone, ending)
                await self._release()

    async def _send_all(self, scope: Scope, send: Send) -> None:
        await send(
            {
                "type": "http.response.start",
                "status": self.status_code,
                "headers": self.raw_headers,
            }
        )
        try:
            async for chunk in self._chunks:
                body = {"type": "http.response.body", "body": chunk, "more_body": True}
                # Not wait_for: before Python 3.12 it can swallow the cancellation of this task.
                async with asyncio.timeout(self._streams.idle_s):
                    await send(body)
        except TimeoutError:
            idle_s = self._streams.idle_s
            log.info("dropped a viewer of %s who took nothing for %g s", scope["path"], idle_s)
        finally:
            await self._release()

    async def _release(self) -> None:
        await self._chunks.aclose()
        self._place.close()


async def _finish(send: Send, gone: asyncio.Task[None], ending: asyncio.Task[bool]) -> None:
    """Say goodbye. A dropped viewer hears it when he wakes up; a stopping service cannot wait."""
    finishing = asyncio.ensure_future(send(END))
    try:
        await _first(finishing, gone, ending)
        await asyncio.wait({finishing, gone}, timeout=0.5, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await _cancelled(finishing)


async def _first(*tasks: asyncio.Future[Any]) -> None:
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        continue


async def _cancelled(*tasks: asyncio.Future[Any]) -> None:
    for task in tasks:
        task.cancel()
    # Only waits: a task's own error was taken by whoever awaited it.
    await asyncio.gather(*tasks, return_exceptions=True)
