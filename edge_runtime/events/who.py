"""Whom one visit turned out to be: what recognition says of a face, made into news."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from edge_runtime.event import EventKind, Value
from edge_runtime.identity import Identity

NOBODY: Final = "somebody unknown"


class News(NamedTuple):
    """Something to tell."""

    kind: EventKind
    sentence: str
    fields: Mapping[str, Value]


class Who:
    """Follows one face's identity; tells each thing once."""

    __slots__ = ("_identity", "_name", "_said", "_since", "_stayed", "_turned")

    def __init__(self) -> None:
        self._identity: Identity | None = None
        self._said = False
        self._name: str | None = None
        self._since = math.inf
        self._stayed = self._turned = False

    @property
    def said(self) -> bool:
        """Whether anything was told that must be taken back when the face leaves."""
        return self._said

    def follow(self, identity: Identity, now: float, unknown_after_s: float) -> Iterator[News]:
        """What is new at ``now``; after ``unknown_after_s`` an unknown face is told once more."""
        self._identity = identity
        if identity.verdict == "unsure":
            return
        if not self._said or identity.name != self._name:
            self._said, self._name, self._since = True, identity.name, now
            self._stayed = self._turned = False
            yield self._news("person_known" if self._name else "person_unknown", "is here")
        if self._name is None and not self._stayed and now - self._since >= unknown_after_s:
            self._stayed = True
            seconds = round(now - self._since, 1)
            news = self._news("person_stayed_unknown", f"has been here for {seconds:.0f} s")
            yield news._replace(fields={**news.fields, "seconds": seconds})
        if self._name is not None and identity.turned and not self._turned:
            self._turned = True
            yield self._news("person_turned", "turned the head, as no photograph can")

    def left(self) -> News:
        """When the face has left."""
        return self._news("person_left", "left")

    def _news(self, kind: EventKind, what: str) -> News:
        identity = self._identity
        fields: dict[str, Value] = {"person": self._name}
        if identity is not None:
            fields |= {"score": identity.score, "evidence": identity.evidence}
        return News(kind, f"{self._name or NOBODY} {what}", fields)
