"""The status as it changes, over one connection after the other."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from typing import Any, Final

from pydantic import ValidationError

from edge_runtime.client.event_stream import Event, events_of
from edge_runtime.errors import ServiceUnreachable
from edge_runtime.web.report import StatusReport

RETRY_S: Final = 3.0

Lines = AbstractContextManager[Iterable[bytes]]


class LiveStatus:
    """Statuses without an end; when the line breaks, iterate again: it goes on where it was."""

    def __init__(self, connect: Callable[[str], Lines]) -> None:
        """``connect`` opens the events after the one whose id it is given."""
        self._connect = connect
        self._sections: dict[str, Any] = {}
        self._last_id = ""
        self.retry_s = RETRY_S
        """How long the runtime asks to wait before coming again."""

    def __iter__(self) -> Iterator[StatusReport]:
        """Statuses of one connection. Raises ServiceUnreachable when it ends, ServiceRefused."""
        with self._connect(self._last_id) as lines:
            try:
                for event in events_of(lines):
                    yield self._taken(event)
            except (ValidationError, ValueError) as error:
                self._last_id = ""
                raise ServiceUnreachable(
                    "what came is no status of an edge-runtime: are both of the same version?"
                ) from error
        raise ServiceUnreachable("the runtime has ended the connection")

    def _taken(self, event: Event) -> StatusReport:
        said = json.loads(event.data)
        # A change holds the sections that changed, each whole; a status all of them.
        sections = self._sections | said if event.name == "change" else said
        status = StatusReport.model_validate(sections)
        self._sections, self._last_id = sections, event.id
        if event.retry_ms is not None:
            self.retry_s = event.retry_ms / 1000
        return status
