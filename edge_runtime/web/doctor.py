"""The part of the API that examines the machine."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Final, Literal, Protocol

from fastapi import APIRouter
from starlette.responses import Response

from edge_runtime.types import Clock
from edge_runtime.web.answer import json
from edge_runtime.web.description import API, add_route
from edge_runtime.web.doctor_report import CheckReport, DoctorReport

FRESH_S: Final = 30.0
"""So long an examination is told to whoever asks: it starts programs, and takes seconds."""


class Check(Protocol):
    """One thing looked at."""

    @property
    def name(self) -> str: ...
    @property
    def state(self) -> Literal["fine", "watch", "act", "unknown"]: ...
    @property
    def text(self) -> str: ...
    @property
    def remedy(self) -> str | None: ...


Examine = Callable[[], Sequence[Check]]
"""Looks at the machine, changes nothing, takes seconds: for a worker thread."""


class DoctorApi:
    """One examination at a time, whoever asks."""

    def __init__(self, examine: Examine, clock: Clock) -> None:
        self._examine, self._clock = examine, clock
        self._examining = asyncio.Lock()
        self._told: tuple[float, DoctorReport] | None = None

    def router(self) -> APIRouter:
        """The route with its description."""
        router = APIRouter()
        add_route(
            router,
            "GET",
            f"{API}/doctor",
            self.doctor,
            tag="health",
            summary="What stands in the way on this machine",
            says=DoctorReport,
        )
        return router

    async def doctor(self) -> Response:
        """What `edge-runtime doctor` says, with what to do. Takes seconds; is told for 30 s."""
        async with self._examining:
            if self._told is None or self._clock() - self._told[0] >= FRESH_S:
                found = await asyncio.to_thread(self._examine)
                report = DoctorReport(findings=tuple(map(CheckReport.model_validate, found)))
                self._told = (self._clock(), report)
        return json(self._told[1])
