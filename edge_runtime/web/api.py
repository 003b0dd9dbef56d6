"""The API: status, live events, pictures, health and metrics."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable
from functools import partial
from http import HTTPStatus
from typing import Annotated, Final

from fastapi import APIRouter, Header, HTTPException, Query
from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.exposition import choose_encoder
from starlette.requests import Request
from starlette.responses import Response

from edge_runtime.web.answer import UNCHANGED, IfNoneMatch, json, tagged
from edge_runtime.web.description import API, add_route
from edge_runtime.web.endless import EndlessResponse
from edge_runtime.web.findings import matter_of, not_ready
from edge_runtime.web.live import LiveFeed
from edge_runtime.web.metrics import StatusCollector
from edge_runtime.web.previews import Previews
from edge_runtime.web.report import Alive, Readiness, StatusReport
from edge_runtime.web.reporter import Reporter
from edge_runtime.web.sight import sights_of
from edge_runtime.web.streams import Streams
from edge_runtime.web.viewer import Shot, Viewer

BOUNDARY: Final = "edge-runtime-picture"
SNAPSHOT_S: Final = 2.0
"""How long ``/api/v1/snapshot.jpg`` waits for a picture."""

Camera = Annotated[
    str | None,
    Query(description="Name of a camera; without one the first", examples=["front-door"]),
]
LastEventId = Annotated[
    str | None, Header(alias="Last-Event-ID", description="The `id` of the last event received")
]

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
        # What every program tells of itself, under the names that dashboards know.
        ProcessCollector(registry=self._registry)

    @property
    def _previews(self) -> Previews:
        return self._reporter.previews

    def router(self) -> APIRouter:
        """The API's routes with their descriptions."""
        router = APIRouter()
        add = partial(add_route, router, "GET")
        busy = {503: "Too many watch already"}
        unseen = {
            404: "There is no such camera",
            503: "No place or no picture; `detail` says which",
        }
        add(
            f"{API}/status",
            self.status,
            tag="status",
            summary="Everything the page shows",
            says=StatusReport,
            responses=UNCHANGED,
        )
        add(
            f"{API}/live",
            self.live,
            tag="status",
            summary="The status as it changes",
            says="text/event-stream",
            refused=busy,
        )
        add(
            f"{API}/stream.mjpg",
            self.stream,
            tag="pictures",
            summary="The live view",
            says="multipart/x-mixed-replace",
            refused=unseen,
        )
        add(
            f"{API}/snapshot.jpg",
            self.snapshot,
            tag="pictures",
            summary="One picture of now",
            says="image/jpeg",
            refused=unseen,
        )
        self._add_probes(add)
        return router

    def _add_probes(self, add: Callable[..., None]) -> None:
        add(
            "/healthz",
            self.healthz,
            tag="health",
            summary="Whether the process is up",
            says=Alive,
            openapi_extra={"security": []},
        )
        add(
            "/readyz",
            self.readyz,
            tag="health",
            summary="Whether frames flow",
            says=Readiness,
            responses={503: {"model": Readiness, "description": "They do not"}},
        )
        add(
            "/metrics",
            self.metrics,
            tag="health",
            summary="The status for Prometheus",
            says="text/plain",
        )

    async def status(self, if_none_match: IfNoneMatch = None) -> Response:
        """One report of this moment. Unknown is null. Send the ETag back to hear only of news."""
        return tagged(self._reporter.report(), if_none_match)

    async def live(self, last_event_id: LastEventId = None) -> Response:
        """Server-sent events, about three a second while frames flow.

        The first event, `status`, is a whole report. Each `change` holds the sections that changed
        since, whole. After a gap `status` comes again. Every event has an `id`; whoever comes again
        with it as `Last-Event-ID` (browsers do) hears only what he missed, if that was one change.
        A comment every 10 s when there is nothing to say.
        """
        if self._feed.full:
            raise _busy(self._feed.max_subscribers)
        return EndlessResponse(
            self._feed.events(last_event_id), media_type="text/event-stream", streams=self._streams
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
        return json(Alive(version=self._reporter.version))

    async def readyz(self) -> Response:
        """200 when the last frame is a few seconds old at most, else 503 with the reason.

        Of several cameras one is enough: `state` of the status says what is wrong with others.
        """
        reason = self._not_ready()
        status = HTTPStatus.OK if reason is None else HTTPStatus.SERVICE_UNAVAILABLE
        return json(Readiness(ready=reason is None, reason=reason), status)

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
