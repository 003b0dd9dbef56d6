"""The part of the API that gives the figures of the last hour and day."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any, Final

import numpy as np
from fastapi import APIRouter, Query
from pydantic_core import to_json
from starlette.responses import Response

from edge_runtime.telemetry.history import FIGURES, Span, Stretch
from edge_runtime.types import Clock
from edge_runtime.web.answer import UNCHANGED, IfNoneMatch, tagged_body
from edge_runtime.web.description import API, add_route
from edge_runtime.web.event_report import FiguresReport
from edge_runtime.web.status import StatusSource

FRESH_S: Final = 2.0
"""An answer is made once for all who ask within so long: it has 19,000 numbers, or more."""

OfSpan = Annotated[Span, Query(description="`hour`: steps of 5 s; `day`: of a minute")]


class HistoryApi:
    """Made in a worker thread, so that nobody else's answer waits for it."""

    def __init__(self, status: StatusSource, clock: Clock) -> None:
        self._status, self._clock = status, clock
        self._made: dict[Span, tuple[float, bytes]] = {}

    def router(self) -> APIRouter:
        """The route with its description."""
        router = APIRouter()
        add = partial(add_route, router, "GET", tag="status")
        add(
            f"{API}/history",
            self.figures,
            summary="Figures of the last hour or day",
            says=FiguresReport,
            refused={422: "No such span"},
            responses=UNCHANGED,
        )
        return router

    async def figures(self, span: OfSpan = "hour", if_none_match: IfNoneMatch = None) -> Response:
        """Rates, latency, temperature, power, memory and faces: low, mean and high of each step.

        Of several cameras also what each did alone. The last step is the one that is still going
        on. In memory only: null before the start.
        """
        made = self._made.get(span)
        if made is None or self._clock() - made[0] >= FRESH_S:
            body = await asyncio.to_thread(lambda: _body(self._status.history().stretch(span)))
            made = self._made[span] = (self._clock(), body)
        return tagged_body(made[1], if_none_match)


def _body(stretch: Stretch) -> bytes:
    # Two decimals: tenths of a degree and hundredths of a watt are all that is measured.
    low, mean, high = (
        np.round(part.astype(np.float64), 2).tolist()
        for part in (stretch.low, stretch.mean, stretch.high)
    )

    def figures(rows: Mapping[str, int]) -> dict[str, Any]:
        return {name: {"low": low[i], "mean": mean[i], "high": high[i]} for name, i in rows.items()}

    told = {
        "span": stretch.span,
        "step_s": stretch.step_s,
        "ends_at": round(stretch.ends_at, 1),
        "figures": figures({name: i for i, name in enumerate(FIGURES)}),
        "cameras": {name: figures(stretch.rows(name)) for name in stretch.cameras},
    }
    return to_json(told, inf_nan_mode="null")
