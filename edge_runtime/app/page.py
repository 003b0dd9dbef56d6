"""The web page of a run: its port is bound at once, its libraries load when there is a picture."""

from __future__ import annotations

import logging
import socket
import ssl
from contextlib import ExitStack
from typing import TYPE_CHECKING, Final, Self

from edge_runtime.app.examination import Examination
from edge_runtime.app.server import GONE_AFTER_MS, MOST_UNSENT, bind, make_server, tls_context
from edge_runtime.app.status import Status
from edge_runtime.config import Config
from edge_runtime.service.worker import Worker
from edge_runtime.types import Frame, Snapshot
from edge_runtime.web.counter import Counter
from edge_runtime.web.door import Door, open_door
from edge_runtime.web.preview import Preview
from edge_runtime.web.previews import Previews
from edge_runtime.web.streams import Streams

if TYPE_CHECKING:
    import uvicorn

log = logging.getLogger(__name__)

ENCODE_WAIT_S: Final = 0.5
"""How long the preview's thread waits for a picture before it looks whether it should stop."""

MARGIN_S: Final = 0.5
"""Added to the server's grace before its thread is given up."""


class Page:
    """Serves what a Status holds. Entering binds the port; ``open`` starts serving.

    Raises WebUnavailable when the address or the port cannot be had, when there is no token where
    one is asked for, or when the certificate cannot be used.
    """

    def __init__(
        self, config: Config, status: Status, *, listening: socket.socket | None = None
    ) -> None:
        """``listening``: a socket that somebody else opened, instead of host and port."""
        self._config = config
        self._listening = listening
        self._status = status
        self._streams = Streams()
        self._closing = ExitStack()
        self._opened = False
        self._previews = Previews({each.name: _preview(config) for each in status.cameras()})
        # Where it really listens decides whether a token is asked for, not what the settings say.
        host = config.web.host if listening is None else listening.getsockname()[0]
        self.door: Door = open_door(
            host,
            state_dir=config.state_dir,
            allowed_hosts=config.web.allowed_hosts,
            origins=config.web.cors_origins,
            always_ask=config.web.require_token,
        )
        self._tls = _tls(config)
        self._socket: socket.socket | None = None
        self._server: uvicorn.Server | None = None
        self._ended = False

    def __enter__(self) -> Self:
        listening = self._listening
        if listening is None:
            listening = bind(self._config.web.host, self._config.web.port)
        else:
            listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, GONE_AFTER_MS)
            listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, MOST_UNSENT)
        self._socket = self._closing.enter_context(listening)
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.close()

    @property
    def url(self) -> str:
        """Where to look."""
        return self.door.url(self._port, encrypted=self._tls is not None)

    @property
    def asks(self) -> bool:
        """Whether visitors need a token."""
        return self.door.tokens is not None

    @property
    def _port(self) -> int:
        return int(self._socket.getsockname()[1]) if self._socket else self._config.web.port

    def open(self, counter: Counter) -> None:
        """Load the web libraries and serve, in threads of their own; does nothing when open.

        ``counter``: where models are handed in and chosen.
        """
        if self._opened:
            return
        self._opened = True
        encoders = [self._encoder(name) for name in self._previews.names]
        for encoder in encoders:
            self._closing.enter_context(encoder)
        for encoder in encoders:
            self._closing.callback(encoder.ask_to_stop)
        serving = Worker("page", lambda _: self._serve(counter))
        # Closing is last in, first out: streams end, the server is told, its thread is awaited.
        self._closing.callback(serving.stop, self._config.web.graceful_shutdown_s + MARGIN_S)
        self._closing.callback(self._end_server)
        self._closing.callback(self._streams.close)
        serving.start()

    def offer(self, camera: str, frame: Frame, snapshot: Snapshot) -> None:
        """Show a frame of a camera, if anybody watches."""
        preview = self._previews.of(camera)
        if preview.wanted(frame.taken_at):
            preview.offer(frame, snapshot)

    def _encoder(self, camera: str) -> Worker:
        """The thread that makes a camera's pictures; it sleeps while nobody watches."""
        preview = self._previews.of(camera)

        def encode(worker: Worker) -> None:
            while not worker.stopping:
                preview.encode_next(ENCODE_WAIT_S)

        return Worker("preview", encode)

    def _serve(self, counter: Counter) -> None:
        # FastAPI and uvicorn cost a third of a second and 20 MB: only who serves pays for them.
        from edge_runtime.web.service import create_app  # noqa: PLC0415

        app = create_app(
            status=self._status,
            previews=self._previews,
            door=self.door,
            counter=counter,
            examine=Examination(self._config),
            streams=self._streams,
        )
        server = make_server(
            app,
            graceful_shutdown_s=self._config.web.graceful_shutdown_s,
            tls=self._tls,
            trusted_proxies=self._config.web.trusted_proxies,
        )
        self._server = server
        # Either this sees the end, or the end sees the server: a stop while loading is not lost.
        if not self._ended and self._socket is not None:
            server.run(sockets=[self._socket])

    def _end_server(self) -> None:
        self._ended = True
        if self._server is not None:
            self._server.should_exit = True


def _tls(config: Config) -> ssl.SSLContext | None:
    certificate, key = config.web.tls_cert, config.web.tls_key
    return None if certificate is None or key is None else tls_context(certificate, key)


def _preview(config: Config) -> Preview:
    return Preview(
        fps=config.web.preview_fps,
        quality=config.web.preview_quality,
        pixelate=config.web.pixelate,
        max_viewers=config.web.max_viewers,
    )
