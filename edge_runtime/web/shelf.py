"""The part of the API that lists, takes in and exchanges models."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Final

from fastapi import APIRouter
from pydantic import BaseModel
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from edge_runtime.errors import (
    EdgeRuntimeError,
    ExchangeFailed,
    ManifestIncomplete,
    ModelMissing,
    ShelfUnwritable,
    TrialImpossible,
)
from edge_runtime.web.counter import Counter, Upload
from edge_runtime.web.problem import Problem, problem
from edge_runtime.web.report import Report
from edge_runtime.web.shelf_report import Done, HistoryReport, ModelsReport

STATUS_OF: Final[tuple[tuple[type[EdgeRuntimeError], HTTPStatus], ...]] = (
    (ModelMissing, HTTPStatus.NOT_FOUND),
    (ExchangeFailed, HTTPStatus.CONFLICT),
    (TrialImpossible, HTTPStatus.SERVICE_UNAVAILABLE),
    (ShelfUnwritable, HTTPStatus.INSUFFICIENT_STORAGE),
    (EdgeRuntimeError, HTTPStatus.UNPROCESSABLE_ENTITY),
)
"""The first that fits counts."""

_ONE: Final = "Another model is being uploaded. Try again when that is done."
_NO_NAME: Final = "The file has no name: say /api/v1/models?name=mood.zip."
_FORM: Final = (
    "Send the file itself, not a form: curl --data-binary @mood.zip, or curl -T mood.zip."
)


class Chosen(BaseModel):
    """Which version."""

    version: str | None = None


class ShelfApi:
    """Whatever takes time is done in a worker thread: the other answers do not wait for it."""

    def __init__(self, counter: Counter) -> None:
        self._counter = counter
        self._receiving = False

    def router(self) -> APIRouter:
        """The routes with their descriptions."""
        router = APIRouter()

        def add(
            method: str, path: str, answer: Callable[..., Any], words: str, says: type[Report]
        ) -> None:
            refused = _REFUSALS if method != "GET" else {}
            router.add_api_route(
                path,
                answer,
                methods=[method],
                summary=words,
                response_model=says,
                responses=refused,
            )

        one = "/api/v1/models/{name:path}"
        add("GET", "/api/v1/models", self.models, "Every model and version", ModelsReport)
        add("GET", "/api/v1/models/history", self.history, "Every activation", HistoryReport)
        for method in ("POST", "PUT"):
            add(method, "/api/v1/models", self.upload, "Take a model in", Done)
        add("POST", f"{one}/activate", self.activate, "Let a version be active", Done)
        add("POST", f"{one}/rollback", self.roll_back, "Back to the one before", Done)
        add("DELETE", f"{one}/{{version}}", self.remove, "Take a version off the shelf", Done)
        return router

    async def models(self) -> Response:
        """Active or not, with what each needs on this device, and what became of them lately."""
        return _json(await asyncio.to_thread(self._counter.models))

    async def history(self) -> Response:
        """Who put which model in which role, when and why, and what came of it."""
        return _json(await asyncio.to_thread(self._counter.history))

    async def upload(self, request: Request) -> Response:
        """The body is the file, `?name=` what it is called: a .tflite, a package or a zip.

        201 when it is on the shelf, and active if the settings say so; 422 with what is wrong with
        it; 413 when it is larger than `models.largest_mb`; 503 while another one is uploaded.
        """
        name, size = request.query_params.get("name"), request.headers.get("content-length", "")
        if not name:
            return problem(HTTPStatus.UNPROCESSABLE_ENTITY, _NO_NAME)
        if request.headers.get("content-type", "").startswith("multipart/"):
            return problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, _FORM)
        if size.isdecimal() and int(size) > self._counter.largest_bytes:
            return self._too_large()
        if self._receiving:
            return problem(HTTPStatus.SERVICE_UNAVAILABLE, _ONE, {"retry-after": "5"})
        self._receiving = True
        try:
            return await self._receive(request, name)
        except ClientDisconnect:
            # Nobody is there to read it, but something has to be answered.
            return problem(HTTPStatus.BAD_REQUEST, "The upload broke off.")
        except EdgeRuntimeError as error:
            return _refused(error)
        finally:
            self._receiving = False

    async def activate(self, name: str, chosen: Chosen | None = None) -> Response:
        """`name` is a model's name or its role; without a version the latest one on the shelf.

        `shipped` is the one that came with the program. Returns when it is active, or when its
        comparison with the active one has begun.
        """
        version = chosen.version if chosen else None
        return await _done(lambda: self._counter.activate(name, version))

    async def roll_back(self, name: str) -> Response:
        """`name` is a role or the name of a model in one."""
        return await _done(lambda: self._counter.roll_back(name))

    async def remove(self, name: str, version: str) -> Response:
        """422 while it is active."""
        return await _done(lambda: self._counter.remove(name, version))

    async def _receive(self, request: Request, name: str) -> Response:
        upload = await asyncio.to_thread(self._counter.upload, name)
        try:
            if not await self._all_written(request, upload):
                return self._too_large()
            done = await asyncio.to_thread(upload.take_in)
            return _json(done, HTTPStatus.CREATED)
        finally:
            await asyncio.to_thread(upload.close)

    async def _all_written(self, request: Request, upload: Upload) -> bool:
        """False as soon as it is more than may come."""
        written = 0
        async for chunk in request.stream():
            written += len(chunk)
            if written > self._counter.largest_bytes:
                return False
            await asyncio.to_thread(upload.write, chunk)
        return True

    def _too_large(self) -> Response:
        limit = self._counter.largest_bytes >> 20
        sentence = f"The file is larger than {limit} MiB, which models.largest_mb allows."
        # The rest of the body is not read, so nothing more can be said on this connection.
        return problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, sentence, {"connection": "close"})


async def _done(change: Callable[[], Done]) -> Response:
    try:
        return _json(await asyncio.to_thread(change))
    except EdgeRuntimeError as error:
        return _refused(error)


def _json(report: Report, status: HTTPStatus = HTTPStatus.OK) -> Response:
    return Response(report.model_dump_json(), status, media_type="application/json")


def _refused(error: EdgeRuntimeError) -> Response:
    status = next(status for kind, status in STATUS_OF if isinstance(error, kind))
    form = error.skeleton if isinstance(error, ManifestIncomplete) else None
    return problem(status, str(error), manifest=form)


_REFUSALS: Final[dict[int | str, dict[str, Any]]] = {
    404: {"model": Problem, "description": "There is no such model or version"},
    409: {"model": Problem, "description": "Frames do not flow, so nothing can be exchanged"},
    422: {"model": Problem, "description": "Why it cannot be; a form to fill in if that helps"},
    507: {"model": Problem, "description": "The folder of models cannot be written"},
}
