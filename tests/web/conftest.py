"""The service on a real port, as the program runs it."""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import uvicorn
from selenium import webdriver

from edge_runtime.app.connection import Limits
from edge_runtime.app.server import bind, make_server
from edge_runtime.types import Frame
from edge_runtime.web.counter import Counter
from edge_runtime.web.door import open_door
from edge_runtime.web.preview import Preview
from edge_runtime.web.previews import Previews
from edge_runtime.web.service import create_app
from edge_runtime.web.streams import Streams
from tests.web.browser import Page, open_chromium
from tests.web.fake_counter import FakeCounter
from tests.web.fake_doctor import FakeDoctor
from tests.web.fake_status import FakeStatus, frame, snapshot
from tests.web.guarded import keep_token

FPS = 20


class LiveService:
    """uvicorn over a fake program whose frames flow until told otherwise."""

    def __init__(
        self,
        tmp_path: Path,
        *,
        idle_s: float = 10.0,
        token: str | None = None,
        status: FakeStatus | None = None,
        counter: Counter | None = None,
        port: int = 0,
        limits: Limits | None = None,
        tls: ssl.SSLContext | None = None,
        trusted_proxies: Sequence[str] = (),
    ) -> None:
        self.status = status or FakeStatus()
        self.previews = {camera.name: Preview() for camera in self.status.cameras()}
        self.preview = self.previews[self.status.name]
        self.streams = Streams(idle_s=idle_s)
        self.flowing = True
        self.slowest_offer_s = 0.0
        if token is not None:
            keep_token(tmp_path, token)
        door = open_door("127.0.0.1", state_dir=tmp_path, always_ask=token is not None)
        self.counter = FakeCounter()
        self.doctor = FakeDoctor()
        app = create_app(
            self.status,
            Previews(self.previews),
            door,
            counter=counter or self.counter,
            examine=self.doctor,
            streams=self.streams,
        )
        self._socket = bind("127.0.0.1", port)
        self.port: int = self._socket.getsockname()[1]
        self.url = f"http{'s' if tls else ''}://127.0.0.1:{self.port}/"
        self.server: uvicorn.Server = make_server(
            app, graceful_shutdown_s=1.0, tls=tls, limits=limits, trusted_proxies=trusted_proxies
        )
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=work, daemon=True)
            for work in (self._serve, self._flow, self._encode)
        ]

    def __enter__(self) -> LiveService:
        for thread in self._threads:
            thread.start()
        self.wait_for(lambda: self.server.started, "the server did not start")
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self._stop.set()
        for thread in self._threads:
            thread.join(5)
        self._socket.close()

    def stop(self) -> float:
        """End the streams, then the server, as the program does; seconds until it was over."""
        began = time.monotonic()
        self.streams.close()
        self.server.should_exit = True
        self._threads[0].join(5)
        return time.monotonic() - began

    def wait_for(self, true: Callable[[], bool], problem: str, seconds: float = 5.0) -> None:
        give_up_at = time.monotonic() + seconds
        while not true():
            if time.monotonic() > give_up_at:
                pytest.fail(problem)
            self._stop.wait(0.01)

    def _serve(self) -> None:
        self.server.run(sockets=[self._socket])

    def _flow(self) -> None:
        pictures = [frame(seed) for seed in range(4)]
        for index in range(1_000_000):
            if self._stop.wait(1 / FPS):
                return
            if self.flowing:
                now = time.monotonic()
                self.status.last = latest = snapshot(index, now)
                if self.preview.wanted(now):
                    self.preview.offer(pictures[index % 4], latest)
                    self.slowest_offer_s = max(self.slowest_offer_s, time.monotonic() - now)
                self._flow_beside(pictures[index % 4], now)

    def _flow_beside(self, picture: Frame, now: float) -> None:
        """The other cameras deliver as well."""
        for camera in self.status.others:
            if camera.last is not None:
                camera.last = replace(camera.last, taken_at=now)
                if self.previews[camera.name].wanted(now):
                    self.previews[camera.name].offer(picture, camera.last)

    def _encode(self) -> None:
        while not self._stop.is_set():
            for preview in self.previews.values():
                preview.encode_next(0.1 / len(self.previews))


@pytest.fixture
def live(tmp_path: Path) -> Iterator[LiveService]:
    with LiveService(tmp_path) as service:
        yield service


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    with open_chromium(tmp_path_factory.mktemp("profile")) as driver:
        yield driver


@pytest.fixture
def page(chromium: webdriver.Chrome, live: LiveService) -> Iterator[Page]:
    opened = Page(chromium, live.url)
    yield opened
    chromium.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    chromium.get("about:blank")
