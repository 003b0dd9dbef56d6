"""The FastAPI service: pages, API and door, put together."""

from __future__ import annotations

import time

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware

from edge_runtime import __version__
from edge_runtime.types import Clock
from edge_runtime.web.api import Api
from edge_runtime.web.assets import load_assets
from edge_runtime.web.backoff import Backoff
from edge_runtime.web.counter import Counter
from edge_runtime.web.description import describe
from edge_runtime.web.doctor import DoctorApi, Examine
from edge_runtime.web.door import Door
from edge_runtime.web.event_feed import EventFeed
from edge_runtime.web.events import EventsApi
from edge_runtime.web.guard import Guard
from edge_runtime.web.headers import SecurityHeaders
from edge_runtime.web.history import HistoryApi
from edge_runtime.web.live import LiveFeed
from edge_runtime.web.pages import Pages
from edge_runtime.web.previews import Previews
from edge_runtime.web.problem import say_problems
from edge_runtime.web.reporter import Reporter
from edge_runtime.web.session import SessionApi
from edge_runtime.web.shelf import ShelfApi
from edge_runtime.web.status import StatusSource
from edge_runtime.web.streams import Streams


def create_app(
    status: StatusSource,
    previews: Previews,
    door: Door,
    *,
    counter: Counter,
    examine: Examine,
    streams: Streams,
    version: str = __version__,
    ready_within_s: float = 5.0,
    max_subscribers: int = 128,
    clock: Clock = time.monotonic,
) -> FastAPI:
    """The service as an ASGI app. ``clock`` is the one ``Snapshot.taken_at`` is read from.

    To stop: ``streams.close()``, then the server; open streams would keep it waiting otherwise.
    """
    reporter = Reporter(status=status, previews=previews, version=version, clock=clock)
    feed = LiveFeed(reporter.report, max_subscribers=max_subscribers, clock=clock)
    assets = load_assets()
    app = FastAPI(
        title="edge-runtime",
        version=version,
        docs_url=None,
        redoc_url=None,
    )
    api = Api(reporter, feed=feed, streams=streams, ready_within_s=ready_within_s)
    say_problems(app)
    describe(app)
    happenings = EventFeed(status.events(), max_subscribers=max_subscribers, clock=clock)
    events = EventsApi(status, happenings, streams)
    figures, doctor = HistoryApi(status, clock), DoctorApi(examine, clock)
    shelf, session = ShelfApi(counter), SessionApi()
    for part in (api, events, figures, doctor, shelf, session, Pages(assets)):
        # Side by side, not one inside the other: so a 405 can tell what all of them would take.
        app.router.routes.extend(part.router().routes)
    _put_behind(app, door, Backoff(clock=clock), assets["login.html"].text)
    return app


def _put_behind(app: FastAPI, door: Door, backoff: Backoff, login_page: str) -> None:
    """The last that is added is the first that sees a request."""
    app.add_middleware(Guard, door=door, backoff=backoff, login_page=login_page)
    if door.origins:
        # Without credentials: a page of another site sends a token, never the user's cookie.
        app.add_middleware(
            CORSMiddleware,
            allow_origins=sorted(door.origins),
            allow_methods=["GET", "POST", "PUT", "DELETE"],
            allow_headers=["authorization", "content-type"],
        )
    app.add_middleware(SecurityHeaders)
