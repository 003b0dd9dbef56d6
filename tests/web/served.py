"""The service without a socket: one request at a time, or a stream read chunk by chunk."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI

from edge_runtime.web.door import Door, open_door
from edge_runtime.web.preview import Preview
from edge_runtime.web.previews import Previews
from edge_runtime.web.service import create_app
from edge_runtime.web.streams import Streams
from tests.web.fake_counter import FakeCounter
from tests.web.fake_doctor import FakeDoctor
from tests.web.fake_status import FakeClock, FakeStatus, frame, snapshot

WIDE_OPEN = open_door("127.0.0.1", state_dir=Path("/nowhere"), hostname="pi")


@dataclass
class Served:
    """A service over a fake program."""

    status: FakeStatus = field(default_factory=FakeStatus)
    clock: FakeClock = field(default_factory=FakeClock)
    counter: FakeCounter = field(default_factory=FakeCounter)
    doctor: FakeDoctor = field(default_factory=FakeDoctor)
    door: Door = WIDE_OPEN
    options: Mapping[str, Any] = field(default_factory=dict)
    preview_options: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        names = [camera.name for camera in self.status.cameras()]
        self.previews = {name: Preview(clock=self.clock, **self.preview_options) for name in names}
        self.preview = self.previews[names[0]]
        self.streams = Streams(idle_s=0.05)
        self.app: FastAPI = create_app(
            self.status,
            Previews(self.previews),
            self.door,
            counter=self.counter,
            examine=self.doctor,
            streams=self.streams,
            clock=self.clock,
            version="1.2.3",
            **self.options,
        )

    def show(self, index: int = 0, *, preview: Preview | None = None) -> None:
        """One frame through the preview, as pipeline and worker would."""
        preview = preview or self.preview
        preview.offer(frame(index), snapshot(index))
        assert preview.encode_next(0)

    def get(self, path: str, *, base: str = "http://127.0.0.1:8000", **more: Any) -> httpx.Response:
        return self.request("GET", path, base=base, **more)

    def request(
        self,
        method: str,
        path: str,
        *,
        base: str = "http://127.0.0.1:8000",
        cookies: Mapping[str, str] | None = None,
        **more: Any,
    ) -> httpx.Response:
        return ask(self.app, method, path, base=base, cookies=cookies, **more)


def ask(
    app: FastAPI,
    method: str,
    path: str,
    *,
    base: str = "http://127.0.0.1:8000",
    cookies: Mapping[str, str] | None = None,
    **more: Any,
) -> httpx.Response:
    """One request, without a socket."""

    async def answer() -> httpx.Response:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(
            transport=transport, base_url=base, cookies=dict(cookies or {})
        ) as client:
            # What should be refused may turn out to be endless.
            async with asyncio.timeout(10):
                return await client.request(method, path, **more)

    return asyncio.run(answer())


class Listener:
    """The far end of one streamed response."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self.chunks: asyncio.Queue[bytes] = asyncio.Queue()
        self.ended = False
        self.takes = asyncio.Event()
        self.takes.set()
        self._left = asyncio.Event()

    def leave(self) -> None:
        self._left.set()

    async def receive(self) -> dict[str, Any]:
        await self._left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        await self.takes.wait()
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {k.decode(): v.decode() for k, v in message["headers"]}
            return
        if message["body"]:
            self.chunks.put_nowait(message["body"])
        self.ended = not message.get("more_body", False)

    async def next(self) -> bytes:
        return await asyncio.wait_for(self.chunks.get(), 2)


@asynccontextmanager
async def listening(
    app: FastAPI, path: str, headers: Mapping[str, str] | None = None
) -> AsyncIterator[tuple[Listener, asyncio.Task[None]]]:
    """A stream that is open for the length of the block; its task ends with the response."""
    listener = Listener()
    path, _, query = path.partition("?")
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [
            (name.encode(), value.encode())
            for name, value in {"host": "127.0.0.1:8000", **(headers or {})}.items()
        ],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 8000),
    }
    task = asyncio.ensure_future(app(scope, listener.receive, listener.send))
    try:
        yield listener, task
    finally:
        listener.leave()
        listener.takes.set()
        await asyncio.wait_for(task, 2)
