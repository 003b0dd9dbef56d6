"""The API: status, live events, pictures, health and metrics."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable
from typing import Annotated, Any, Final

from fastapi import APIRouter, HTTPException, Query
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from starlette.requests import Request
from starlette.responses import Response

from edge_runtime.web.endless import EndlessResponse
from edge_runtime.web.findings import matter_of, not_ready
from edge_runtime.web.live import LiveFeed
from edge_runtime.web.metrics import StatusCollector
from edge_runtime.web.preview import Shot, Viewer
from edge_runtime.web.previews import Previews
from edge_runtime.web.report import Alive, Readiness, StatusReport
from edge_runtime.web.reporter import Reporter
from edge_runtime.web.sight import sights_of
from edge_runtime.web.streams import Streams

BOUNDARY: Final = "edge-runtime-picture"
SNAPSHOT_S: Final = 2.0
"""How long ``/api/v1/snapshot.jpg`` waits for a picture."""

Camera = Annotated[str | None, Query(description="Name of a camera; without one the first")]

_NO_PLACE: Final = "Too many viewers already: {} is the limit. Close one and try again."


class Api:
    """Answers from the newest of everything; nothing here computes for a frame or waits for one."""

    def __init__(
        self, reporter: Reporter, *, feed: LiveFeed, streams: Streams, ready_within_s: float
    ) -> None:
        self._reporter = reporter
        self._feed = feed
        self._streams = streams
        self._ready_within_s = ready_within_s
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(StatusCollector(reporter, feed))

    @property
    def _previews(self) -> Previews:
        return self._reporter.previews

    def router(self) -> APIRouter:
        """The API's routes with their descriptions."""
        router = APIRouter()

        def add(path: str, answer: Callable[..., Any], words: str, **more: Any) -> None:
            router.add_api_route(path, answer, methods=["GET"], summary=words, **more)

        add("/api/v1/status", self.status, "Everything the page shows", response_model=StatusReport)
        add("/api/v1/live", self.live, "The status as it changes", **_streamed("text/event-stream"))
        add(
            "/api/v1/stream.mjpg",
            self.stream,
            "The live view",
            **_pictures("multipart/x-mixed-replace"),
        )
        add("/api/v1/snapshot.jpg", self.snapshot, "One picture of now", **_pictures("image/jpeg"))
        add("/healthz", self.healthz, "Whether the process is up", response_model=Alive)
        add(
            "/readyz",
            self.readyz,
            "Whether frames flow",
            response_model=Readiness,
            responses={503: {"model": Readiness, "description": "They do not"}},
        )
        add("/metrics", self.metrics, "The status for Prometheus", **_text("text/plain"))
        return router

    async def status(self) -> Response:
        """One report of this moment. Unknown is null."""
        report = self._reporter.report()
        return Response(report.model_dump_json(), media_type="application/json")

    async def live(self) -> Response:
        """Server-sent events, about three a second while frames flow.

        The first event, `status`, is a whole report. Each `change` holds the sections that changed
        since, whole. After a gap `status` comes again.
        """
        if self._feed.full:
            raise _busy(self._feed.max_subscribers)
        return EndlessResponse(
            self._feed.events(), media_type="text/event-stream", streams=self._streams
        )

    async def stream(self, camera: Camera = None) -> Response:
        """JPEG pictures one after the other, faces marked, each part one picture.

        A viewer who takes nothing for 10 s is dropped. 503 when too many watch already.
        """
        name = self._known(camera)
        with contextlib.ExitStack() as entered:
            viewer = entered.enter_context(self._previews.watch(name))
            if viewer is None:
                raise _busy(self._previews.max_viewers)
            return EndlessResponse(
                _parts(viewer),
                media_type=f"multipart/x-mixed-replace; boundary={BOUNDARY}",
                streams=self._streams,
                place=entered.pop_all(),
            )

    async def snapshot(self, camera: Camera = None) -> Response:
        """The next picture, faces marked. 503 when none comes within two seconds."""
        name = self._known(camera)
        with self._previews.watch(name) as viewer:
            if viewer is None:
                raise _busy(self._previews.max_viewers)
            shot = await _live_shot(viewer)
        if shot is None:
            reason = self._matter(name) or f"No picture came within {SNAPSHOT_S:g} s."
            raise HTTPException(503, reason, {"retry-after": "2"})
        return Response(shot.jpeg, media_type="image/jpeg")

    async def healthz(self) -> Response:
        """Answers as long as the process lives; needs no token."""
        alive = Alive(version=self._reporter.version)
        return Response(alive.model_dump_json(), media_type="application/json")

    async def readyz(self) -> Response:
        """200 when the last frame is a few seconds old at most, else 503 with the reason.

        Of several cameras one is enough: `state` of the status says what is wrong with others.
        """
        reason = self._not_ready()
        answer = Readiness(ready=reason is None, reason=reason)
        return Response(
            answer.model_dump_json(),
            200 if answer.ready else 503,
            media_type="application/json",
        )

    async def metrics(self, request: Request) -> Response:
        """Prometheus text or OpenMetrics, as the Accept header asks."""
        encode, media_type = choose_encoder(request.headers.get("accept", ""))
        return Response(encode(self._registry), headers={"content-type": media_type})

    def _not_ready(self) -> str | None:
        sights = sights_of(self._reporter.status.cameras())
        return not_ready(sights, self._reporter.clock(), self._ready_within_s)

    def _matter(self, name: str) -> str | None:
        sights = sights_of(self._reporter.status.cameras())
        sight = next(sight for sight in sights if sight.name == name)
        return matter_of(sight, self._reporter.clock())

    def _known(self, camera: str | None) -> str:
        """The camera that is asked for; without a name the first."""
        names = self._previews.names
        if camera is None or camera in names:
            return camera or names[0]
        raise HTTPException(
            404, f"There is no camera {camera!r}: expected one of {', '.join(names)}."
        )


async def _parts(viewer: Viewer) -> AsyncGenerator[bytes, None]:
    """Pictures as parts, until closed. A part ends with the next boundary: then it is shown."""
    boundary = BOUNDARY.encode()
    yield b"--%s\r\n" % boundary
    while True:
        shot = await viewer.next(timeout_s=5)
        if shot is not None:
            head = b"Content-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(shot.jpeg)
            yield head + shot.jpeg + b"\r\n--%s\r\n" % boundary


async def _live_shot(viewer: Viewer) -> Shot | None:
    with contextlib.suppress(TimeoutError):  # None is the answer then
        async with asyncio.timeout(SNAPSHOT_S):
            while True:
                shot = await viewer.next(SNAPSHOT_S)
                if shot is not None and shot.live:
                    return shot
    return None


def _busy(limit: int) -> HTTPException:
    return HTTPException(503, _NO_PLACE.format(limit), {"retry-after": "10"})


def _streamed(media_type: str) -> dict[str, Any]:
    description = _text(media_type)
    description["responses"][503] = {"description": "No place or no picture; `detail` says which"}
    return description


def _pictures(media_type: str) -> dict[str, Any]:
    description = _streamed(media_type)
    description["responses"][404] = {"description": "There is no such camera"}
    return description


def _text(media_type: str) -> dict[str, Any]:
    content: dict[str, Any] = {media_type: {"schema": {"type": "string"}}}
    return {"response_class": Response, "responses": {200: {"content": content}}}
