"""What ``/api/v1/doctor`` says, field by field."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from edge_runtime.web.report import Report


class CheckReport(Report):
    """One thing looked at."""

    name: str
    state: Literal["fine", "watch", "act", "unknown"] = Field(
        description="`act`: the job will fail or suffer; `unknown`: this machine does not tell"
    )
    text: str
    remedy: str | None = Field(description="What to do, for `watch` and `act`")


class DoctorReport(Report):
    """Everything that was looked at, in the order of `edge-runtime doctor`."""

    findings: tuple[CheckReport, ...]
