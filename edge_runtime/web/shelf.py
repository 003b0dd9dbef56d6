"""The part of the API that lists, takes in and exchanges models."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from typing import Annotated, Final

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field
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
from edge_runtime.web.answer import UNCHANGED, IfNoneMatch, json, tagged
from edge_runtime.web.counter import Counter, Upload
from edge_runtime.web.description import API, add_route
from edge_runtime.web.problem import problem
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
_FORM: Final = (
    "Send the file itself, not a form: curl --data-binary @mood.zip, or curl -T mood.zip."
)


FileName = Annotated[
    str, Query(description="What the file is called", min_length=1, examples=["mood.zip"])
]
Name = Annotated[
    str, Path(description="A model's name or its role", examples=["mood", "classifier/mood"])
]
Digits = Annotated[str, Path(description="The first digits of one", examples=["3f9c01d2a4be"])]


class Chosen(BaseModel):
    """Which version."""

    version: str | None = Field(
        default=None,
        description="The first digits of one, `shipped` for what came with the program; null: the "
        "latest on the shelf",
        examples=["3f9c01d2a4be"],
    )


class ShelfApi:
    """Whatever takes time is done in a worker thread: the other answers do not wait for it."""

    def __init__(self, counter: Counter) -> None:
        self._counter = counter
        self._receiving = False

    def router(self) -> APIRouter:
        """The routes with their descriptions."""
        router = APIRouter()
        add = partial(add_route, router, tag="models")
        all_of, one = f"{API}/models", f"{API}/models/{{name:path}}"
        add(
            "GET",
            all_of,
            self.models,
            summary="Every model and version",
            says=ModelsReport,
            responses=UNCHANGED,
        )
        add(
            "GET",
            f"{all_of}/history",
            self.history,
            summary="Every activation",
            says=HistoryReport,
            responses=UNCHANGED,
        )
        for method in ("POST", "PUT"):
            add(
                method,
                all_of,
                self.upload,
                summary="Take a model in",
                says=Done,
                status_code=201,
                refused=_UPLOADS,
                openapi_extra=_FILE,
            )
        change = partial(add, says=Done, refused=_CHANGES)
        change("POST", f"{one}/activate", self.activate, summary="Let a version be active")
        change("POST", f"{one}/rollback", self.roll_back, summary="Back to the one before")
        gone = f"{one}/versions/{{version}}"
        change("DELETE", gone, self.remove, summary="Take a version off the shelf")
        return router

    async def models(self, if_none_match: IfNoneMatch = None) -> Response:
        """Active or not, with what each needs on this device, and what became of them lately."""
        return tagged(await asyncio.to_thread(self._counter.models), if_none_match)

    async def history(self, if_none_match: IfNoneMatch = None) -> Response:
        """Who put which model in which role, when and why, and what came of it."""
        return tagged(await asyncio.to_thread(self._counter.history), if_none_match)

    async def upload(self, request: Request, name: FileName) -> Response:
        """The body is the file: a .tflite, a package or a zip.

        Kept, and active if the settings say so; `detail` says which.
        """
        size = request.headers.get("content-length", "")
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

    async def activate(self, name: Name, chosen: Chosen | None = None) -> Response:
        """`name` is a model's name or its role; without a version the latest one on the shelf.

        `shipped` is the one that came with the program. Returns when it is active, or when its
        comparison with the active one has begun.
        """
        version = chosen.version if chosen else None
        return await _done(lambda: self._counter.activate(name, version))

    async def roll_back(self, name: Name) -> Response:
        """`name` is a role or the name of a model in one."""
        return await _done(lambda: self._counter.roll_back(name))

    async def remove(self, name: Name, version: Digits) -> Response:
        """422 while it is active."""
        return await _done(lambda: self._counter.remove(name, version))

    async def _receive(self, request: Request, name: str) -> Response:
        upload = await asyncio.to_thread(self._counter.upload, name)
        try:
            if not await self._all_written(request, upload):
                return self._too_large()
            done = await asyncio.to_thread(upload.take_in)
            return json(done, HTTPStatus.CREATED)
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
        return json(await asyncio.to_thread(change))
    except EdgeRuntimeError as error:
        return _refused(error)


def _refused(error: EdgeRuntimeError) -> Response:
    status = next(status for kind, status in STATUS_OF if isinstance(error, kind))
    form = error.skeleton if isinstance(error, ManifestIncomplete) else None
    return problem(status, str(error), manifest=form)


_CHANGES: Final = {
    404: "There is no such model or version",
    409: "Frames do not flow, so nothing can be exchanged",
    422: "Why it cannot be",
    507: "The folder of models cannot be written",
}
_UPLOADS: Final = {
    413: "Larger than `models.largest_mb`; said while it is sent",
    415: "A form, not a file",
    422: "What is wrong with it; `manifest` is a form to fill in when only words are missing",
    503: "Another upload is under way, or the model could not be tried just now",
    507: "The folder of models cannot be written",
}
_FILE: Final = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}
