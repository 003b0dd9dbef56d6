"""What ``/api/v1/events``, ``/api/v1/rules`` and ``/api/v1/history`` say, field by field."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from edge_runtime.event import EventKind
from edge_runtime.web.report import Report

FieldValue = str | int | float | tuple[int, ...] | tuple[str, ...] | None


class EventReport(Report):
    """Something that happened."""

    id: int = Field(description="Only grows, from one run of the program to the next as well")
    time: str = Field(description="UTC, as far as the clock was right")
    kind: EventKind
    camera: str | None = Field(description="null when it is about none")
    track: int | None = Field(description="The number a face had when it came; else null")
    fields: dict[str, FieldValue] = Field(description="What else is known, by kind")
    sentence: str


class EventsReport(Report):
    """Some of the events that are kept, oldest first."""

    events: tuple[EventReport, ...]
    next: int = Field(description="As `after`, asks for what is newer than all of these")
    more: bool = Field(description="Whether there is more to ask for already")
    gap: bool = Field(description="Whether events between `after` and these are kept no longer")


class RuleReport(Report):
    """A rule of the settings, as it stands."""

    name: str
    when: tuple[EventKind, ...]
    does: str = Field(description="In words, without secrets")
    done: int = Field(description="How often it did so")
    failed: int
    dropped: int = Field(description="Because too many were waiting")
    held_back: int = Field(description="By `debounce_s` and `quiet_hours`")
    waiting: int
    problem: str | None = Field(description="Why it failed last, until it succeeds")


class RulesReport(Report):
    """Every rule, in the order of the settings."""

    rules: tuple[RuleReport, ...]


class FigureReport(Report):
    """One figure over time, a number for each step, oldest first; null where it is not known."""

    low: tuple[float | None, ...] = Field(description="The lowest in each step")
    mean: tuple[float | None, ...]
    high: tuple[float | None, ...]


class FiguresReport(Report):
    """The last hour or day. It is in memory only, so it begins with the program."""

    span: Literal["hour", "day"]
    step_s: float = Field(description="Seconds of a step")
    ends_at: float = Field(description="Seconds since 1970 when the last step ends")
    figures: dict[str, FigureReport] = Field(
        description="Of all cameras together; latencies are the slowest camera's"
    )
    cameras: dict[str, dict[str, FigureReport]] = Field(
        description="Of each camera alone `processed_fps`, `latency_p95_ms` and `faces`; empty "
        "where there is only one"
    )
