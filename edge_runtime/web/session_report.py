"""What ``/api/v1/session`` says, field by field."""

from __future__ import annotations

from typing import Final

from pydantic import Field

from edge_runtime.web.report import Report
from edge_runtime.web.tokens import ScopeWord


class SessionReport(Report):
    """Who asks, and what he may do."""

    asked: bool = Field(description="Whether a token is asked for; not on a loopback address")
    name: str | None = Field(description="What the token is called", examples=["kitchen"])
    scope: ScopeWord = Field(description="What may be asked for")
    expires_at: float | None = Field(
        description="Seconds since 1970 at which the token ends by itself; null: not by itself"
    )


class Farewell(Report):
    """What became of the session."""

    detail: str


GONE: Final = Farewell(
    detail="You are logged out: this browser has forgotten its cookie. The token still holds "
    "elsewhere; `edge-runtime token revoke NAME` ends it everywhere."
)
