"""Who may ask for what: every address of the service and the scope it needs, on one page.

What stands in no list needs ``admin``, so a forgotten route is closed rather than open;
``tests/web/test_door_scopes.py`` fails until it stands here. Paths are written as the routes are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Final, NamedTuple

from starlette.routing import compile_path

from edge_runtime.web.tokens import TokenScope

PUBLIC: Final = (
    "GET /healthz",
    "GET /login",
    "POST /login",
    "GET /static/{name}",
    "DELETE /api/v1/session",
)
"""Without a token. They tell nothing about this machine: that it runs, and the page's code."""

STATS: Final = (
    "GET /",
    "GET /docs",
    "GET /favicon.ico",
    "GET /openapi.json",
    "GET /metrics",
    "GET /readyz",
    "GET /api/v1/session",
    "GET /api/v1/status",
    "GET /api/v1/live",
    "GET /api/v1/history",
    "GET /api/v1/events",
    "GET /api/v1/events.csv",
    "GET /api/v1/events.jsonl",
    "GET /api/v1/events/live",
    "GET /api/v1/rules",
    "GET /api/v1/models",
    "GET /api/v1/models/history",
)
"""Figures, no pictures."""

VIEW: Final = (
    "GET /api/v1/stream.mjpg",
    "GET /api/v1/snapshot.jpg",
)
"""Pictures."""

ADMIN: Final = (
    "GET /api/v1/doctor",
    "POST /api/v1/models",
    "PUT /api/v1/models",
    "POST /api/v1/models/{name:path}/activate",
    "POST /api/v1/models/{name:path}/rollback",
    "DELETE /api/v1/models/{name:path}/versions/{version}",
)
"""Changes, and the doctor, who starts programs and names users, paths and processes."""

TAKES_FILES: Final = frozenset({"POST /api/v1/models", "PUT /api/v1/models"})
"""These limit what they read themselves, to ``models.largest_mb``."""


class Rule(NamedTuple):
    """One line of the lists above."""

    method: str
    path: str
    pattern: re.Pattern[str]
    needs: TokenScope | None
    """None: anybody."""


@cache
def rules() -> tuple[Rule, ...]:
    """All lines, compiled."""
    return tuple(_compiled())


def needed_for(method: str, path: str) -> TokenScope | None:
    """The scope a request needs; None for what is public. Of several lines the strictest counts."""
    asked = "GET" if method == "HEAD" else method
    found = [rule.needs for rule in rules() if rule.method == asked and rule.pattern.match(path)]
    return max(found, key=lambda needs: needs or 0) if found else TokenScope.ADMIN


def takes_files(method: str, path: str) -> bool:
    """Whether a request may be larger than the few words of all others."""
    return f"{method} {path}" in TAKES_FILES


def _compiled() -> Iterator[Rule]:
    for lines, needs in (
        (PUBLIC, None),
        (STATS, TokenScope.STATS),
        (VIEW, TokenScope.VIEW),
        (ADMIN, TokenScope.ADMIN),
    ):
        for line in lines:
            method, _, path = line.partition(" ")
            yield Rule(method, path, compile_path(path)[0], needs)
