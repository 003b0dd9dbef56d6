"""A small client of the API: typed answers, one clear error, nothing to close."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Final, Literal, TypeVar
from urllib.parse import quote, urlencode

from pydantic import ValidationError

from edge_runtime.client.address import address_of
from edge_runtime.client.connection import Body, Response, asked, tls_context
from edge_runtime.client.live import LiveStatus
from edge_runtime.errors import ConfigError, ServiceUnreachable
from edge_runtime.web.event_report import (
    EventReport,
    EventsReport,
    FiguresReport,
    RulesReport,
)
from edge_runtime.web.report import Alive, Readiness, Report, StatusReport
from edge_runtime.web.shelf_report import Done, HistoryReport, ModelsReport

Answer = TypeVar("Answer", bound=Report)

API: Final = "/api/v1"
DEFAULT_URL: Final = "http://127.0.0.1:8000/"
TIMEOUT_S: Final = 10.0
EVENTS_A_PAGE: Final = 500
CHANGE_S: Final = 180.0
"""A model that is taken in or exchanged is tried first, which takes a slow board its time."""
SILENT_S: Final = 25.0
"""The runtime says something every 10 s at least."""


class Client:
    """Asks one runtime. Every method may raise ServiceUnreachable or ServiceRefused.

    ``verify`` is about TLS: a file to trust, such as the runtime's own certificate, or False.
    Each question has a connection of its own, so threads may share a client.
    """

    def __init__(
        self,
        url: str = DEFAULT_URL,
        *,
        token: str | None = None,
        verify: bool | Path = True,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        """Raises ConfigError for a URL, token or certificate that cannot be one."""
        self._address = address_of(url)
        self._context = tls_context(verify) if self._address.secure else None
        self._timeout_s = timeout_s
        self._headers = _bearer(token or self._address.token)
        self._newest: tuple[str, StatusReport] | None = None

    @property
    def url(self) -> str:
        """Where it asks, without the token."""
        return str(self._address)

    def status(self) -> StatusReport:
        """Everything the page shows; the very same object while nothing has changed."""
        newest = self._newest
        headers = {"If-None-Match": newest[0]} if newest else {}
        with self._asked("GET", f"{API}/status", headers, takes=(304,)) as answer:
            if newest and answer.status == HTTPStatus.NOT_MODIFIED:
                return newest[1]
            status = self._read(StatusReport, answer.read())
            if etag := answer.headers["etag"]:
                self._newest = etag, status
            return status

    def live(self) -> LiveStatus:
        """The status as it changes, about three times a second; iterate over it."""
        return LiveStatus(self._events)

    def alive(self) -> Alive:
        return self._get(Alive, "/healthz")

    def ready(self) -> Readiness:
        """Whether frames flow, and why not."""
        with self._asked("GET", "/readyz", takes=(503,)) as answer:
            return self._read(Readiness, answer.read())

    def models(self) -> ModelsReport:
        return self._get(ModelsReport, f"{API}/models")

    def activations(self) -> HistoryReport:
        """Who put which model in which role, when and why."""
        return self._get(HistoryReport, f"{API}/models/history")

    def events(self, after: int = 0) -> Iterator[EventReport]:
        """What happened since the event with the id ``after``, page by page up to now."""
        more = True
        while more:
            page = self._get(EventsReport, f"{API}/events?after={after}&limit={EVENTS_A_PAGE}")
            yield from page.events
            after, more = page.next, page.more

    def rules(self) -> RulesReport:
        return self._get(RulesReport, f"{API}/rules")

    def figures(self, span: Literal["hour", "day"] = "hour") -> FiguresReport:
        """Low, mean and high of the last hour by 5 s, or of the last day by the minute."""
        return self._get(FiguresReport, f"{API}/history?span={span}")

    def upload(self, file: Path) -> Done:
        """Hand in a model; it is sent piece by piece. Raises OSError if it cannot be read."""
        path = f"{API}/models?{urlencode({'name': file.name})}"
        with file.open("rb") as body:
            headers = {"Content-Length": str(file.stat().st_size)}
            return self._change("POST", path, body, headers)

    def activate(self, name: str, version: str | None = None) -> Done:
        """``name`` is a model's name or its role; without a version its latest."""
        body = json.dumps({"version": version}).encode()
        headers = {"Content-Type": "application/json"}
        return self._change("POST", f"{_model(name)}/activate", body, headers)

    def roll_back(self, name: str) -> Done:
        return self._change("POST", f"{_model(name)}/rollback")

    def remove(self, name: str, version: str) -> Done:
        return self._change("DELETE", f"{_model(name)}/versions/{quote(version, safe='')}")

    def snapshot(self, camera: str | None = None) -> bytes:
        """The next picture of a camera, of the first unless named: a JPEG, faces marked."""
        query = "" if camera is None else f"?{urlencode({'camera': camera})}"
        with self._asked("GET", f"{API}/snapshot.jpg{query}") as answer:
            return answer.read()

    def metrics(self) -> str:
        """As Prometheus reads them."""
        with self._asked("GET", "/metrics") as answer:
            return answer.read().decode()

    def _get(self, kind: type[Answer], path: str) -> Answer:
        with self._asked("GET", path) as answer:
            return self._read(kind, answer.read())

    def _change(
        self, method: str, path: str, body: Body = None, headers: Mapping[str, str] | None = None
    ) -> Done:
        with self._asked(method, path, headers, body, timeout_s=CHANGE_S) as answer:
            return self._read(Done, answer.read())

    @contextmanager
    def _events(self, last_id: str) -> Iterator[Iterable[bytes]]:
        headers = {"Last-Event-ID": last_id} if last_id else {}
        with self._asked("GET", f"{API}/live", headers, timeout_s=SILENT_S) as answer:
            yield answer

    def _asked(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str] | None = None,
        body: Body = None,
        *,
        timeout_s: float | None = None,
        takes: tuple[int, ...] = (),
    ) -> AbstractContextManager[Response]:
        return asked(
            self._address,
            method,
            path,
            headers={**self._headers, **(headers or {})},
            timeout_s=timeout_s or self._timeout_s,
            context=self._context,
            body=body,
            takes=takes,
        )

    def _read(self, kind: type[Answer], body: bytes) -> Answer:
        try:
            return kind.model_validate_json(body)
        except ValidationError as error:
            raise ServiceUnreachable(
                f"what answers at {self.url} is no edge-runtime, or one of another version: "
                f"{kind.__name__} was expected"
            ) from error


def _bearer(token: str | None) -> dict[str, str]:
    if not token:
        return {}
    token = token.strip()
    if not token.isascii() or not token.isprintable():
        raise ConfigError("the token holds characters that no token has: copy it again")
    return {"Authorization": f"Bearer {token}"}


def _model(name: str) -> str:
    """Where a model is; a role's slash stays one."""
    return f"{API}/models/{quote(name)}"
