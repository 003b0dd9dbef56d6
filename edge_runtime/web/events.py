"""The part of the API that tells what happened, and what became of the rules."""

from __future__ import annotations

import csv
import io
import json as text_of
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Annotated, Any, Final

from fastapi import APIRouter, HTTPException, Query
from starlette.responses import Response

from edge_runtime.event import Event, EventKind
from edge_runtime.web.answer import json
from edge_runtime.web.api import LastEventId
from edge_runtime.web.description import API, add_route
from edge_runtime.web.endless import EndlessResponse
from edge_runtime.web.event_feed import EventFeed, Wanted
from edge_runtime.web.event_report import EventReport, EventsReport, RuleReport, RulesReport
from edge_runtime.web.event_source import RuleStanding
from edge_runtime.web.status import StatusSource
from edge_runtime.web.streams import Streams

MOST: Final = 1000
LONGEST_ID: Final = 20
"""Digits; what has more is no id of ours."""
JSONL, CSV, SSE = "application/jsonl", "text/csv", "text/event-stream"
COLUMNS: Final = ("id", "time", "kind", "camera", "track", "sentence", "fields")

Number = Annotated[int | None, Query(ge=0, le=2**62, description="The `id` of an event")]
Limit = Annotated[int, Query(ge=1, le=MOST, description="At most so many")]
Kind = Annotated[
    list[EventKind] | None,
    Query(description="Only of this kind; may be repeated", examples=[["face_came"]]),
]
OfCamera = Annotated[str | None, Query(description="Only of this camera", examples=["front-door"])]

_BOTH: Final = "`after` and `before` are both given: keep one of them."
_BUSY: Final = "Too many listen already: {} is the limit. Close one and try again."


class EventsApi:
    """Answers from memory; nothing here waits."""

    def __init__(self, status: StatusSource, feed: EventFeed, streams: Streams) -> None:
        self._status, self._feed, self._streams = status, feed, streams

    def router(self) -> APIRouter:
        """The routes with their descriptions."""
        router = APIRouter()
        add = partial(add_route, router, "GET", tag="events")
        unknown = {404: "There is no such camera", 422: "No such kind, or a number out of range"}
        for path, answer, summary, says, refused in (
            ("events", self.events, "What happened lately", EventsReport, unknown),
            ("events.jsonl", self.events_as_lines, "All events, a line each", JSONL, unknown),
            ("events.csv", self.events_as_table, "All events, for a spreadsheet", CSV, unknown),
            ("events/live", self.events_live, "Events as they happen", SSE,
             unknown | {503: "Too many listen already"}),
            ("rules", self.rules, "Every rule and how it has done", RulesReport, {}),
        ):  # fmt: skip
            _add(add, path, answer, summary, says, refused)
        return router

    async def events(
        self,
        after: Number = None,
        before: Number = None,
        limit: Limit = 100,
        kind: Kind = None,
        camera: OfCamera = None,
    ) -> Response:
        """The newest, oldest first. To go on, ask with `after` = `next`: the oldest newer ones.

        `before` = the first event's `id` leads back. Events are in memory only: `events.keep` of
        them, and none from before the program started.
        """
        if after is not None and before is not None:
            raise HTTPException(422, _BOTH)
        log, wanted = self._status.events(), self._wanted(kind, camera)
        newest = log.newest
        found = [each for each in log.after(after or 0) if each.id <= newest and wanted(each)]
        if before is not None:
            found = [each for each in found if each.id < before]
        more = len(found) > limit
        page = found[:limit] if after is not None else found[-limit:]
        report = EventsReport(
            events=tuple(map(_report, page)),
            next=page[-1].id if after is not None and more else newest,
            more=more,
            gap=after is not None and not log.oldest - 1 <= after <= newest,
        )
        return json(report)

    async def events_as_lines(self, kind: Kind = None, camera: OfCamera = None) -> Response:
        """Every event that is kept, oldest first: one JSON object on each line."""
        found = self._all(kind, camera)
        lines = "".join(text_of.dumps(each.as_json()) + "\n" for each in found)
        return _file(lines, "events.jsonl", JSONL)

    async def events_as_table(self, kind: Kind = None, camera: OfCamera = None) -> Response:
        """Every event that is kept, oldest first. `fields` is JSON.

        Text that a spreadsheet would take for a formula begins with an apostrophe.
        """
        table = io.StringIO()
        writer = csv.writer(table)
        writer.writerow(COLUMNS)
        for each in self._all(kind, camera):
            told = each.as_json() | {"fields": text_of.dumps(each.as_json()["fields"])}
            writer.writerow([_cell(told[column]) for column in COLUMNS])
        return _file(table.getvalue(), "events.csv", CSV)

    async def events_live(
        self, kind: Kind = None, camera: OfCamera = None, last_event_id: LastEventId = None
    ) -> Response:
        """Server-sent events: `event` is the kind, `data` the event, `id` its number.

        From now on, or from the one after `Last-Event-ID`, which browsers send when they connect
        again. A comment every 10 s while nothing happens.
        """
        if self._feed.full:
            refused = _BUSY.format(self._feed.max_subscribers)
            raise HTTPException(503, refused, {"retry-after": "10"})
        wanted = self._wanted(kind, camera)
        said = last_event_id or ""
        seen = int(said) if said.isdecimal() and len(said) < LONGEST_ID else None
        return EndlessResponse(
            self._feed.events(wanted, seen), media_type=SSE, streams=self._streams
        )

    async def rules(self) -> Response:
        """In the order of the settings; none are secret: addresses are told by host only."""
        return json(RulesReport(rules=tuple(map(_rule, self._status.rules()))))

    def _all(self, kind: Sequence[EventKind] | None, camera: str | None) -> Iterator[Event]:
        return filter(self._wanted(kind, camera), self._status.events().after(0))

    def _wanted(self, kinds: Sequence[EventKind] | None, camera: str | None) -> Wanted:
        names = [each.name for each in self._status.cameras()]
        if camera is not None and camera not in names:
            known = ", ".join(names)
            raise HTTPException(404, f"There is no camera {camera!r}: expected one of {known}.")
        return lambda event: (not kinds or event.kind in kinds) and camera in (None, event.camera)


def _add(
    add: Callable[..., None],
    path: str,
    answer: Callable[..., Any],
    summary: str,
    says: Any,
    refused: Mapping[int, str],
) -> None:
    add(f"{API}/{path}", answer, summary=summary, says=says, refused=refused)


def _report(event: Event) -> EventReport:
    return EventReport.model_validate(event)


def _rule(state: RuleStanding) -> RuleReport:
    tally = state.tally
    return RuleReport(
        name=state.rule.name,
        when=state.rule.when,
        does=state.does,
        done=tally.done,
        failed=tally.failed,
        dropped=tally.dropped,
        held_back=state.held_back,
        waiting=tally.waiting,
        problem=tally.problem,
    )


def _cell(value: object) -> object:
    """Names of dropped files are in sentences: none of them may become a formula."""
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return f"'{value}"
    return value


def _file(text: str, name: str, media_type: str) -> Response:
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return Response(text, media_type=media_type, headers=headers)
