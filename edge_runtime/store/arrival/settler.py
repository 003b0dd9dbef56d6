"""Which drops are whole: told from listings over time, without looking at anything itself.

A drop is settled when it looked the same, byte for byte, for a while. A model then waits a moment
for its labels, and labels wait longer for their model; together they are one arrival.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Final, NamedTuple

from edge_runtime.store.arrival.listing import Listing, Seen
from edge_runtime.store.arrival.names import is_label_file, is_model, label_file_of


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait, in seconds."""

    settle_s: float = 0.5
    """How long a closed file must stay as it is."""
    unsure_s: float = 3.0
    """The same where the system cannot tell whether a file is closed, as on network mounts."""
    labels_s: float = 1.0
    """How long a lone model file waits for a label file that is not there yet."""
    model_s: float = 300.0
    """How long labels, or a folder without a model, wait for the model."""


DEFAULT_PATIENCE: Final = Patience()


class Settled(NamedTuple):
    """What arrived, by name in the folder."""

    name: str
    labels: str | None
    """The label file that belongs to it."""


@dataclass(slots=True)
class _Entry:
    seen: Seen
    since: float
    """When it was first seen like this."""
    digest: bytes | None = None
    """Of its bytes, when they were first read; empty for what cannot be read."""
    settled_at: float | None = None
    announced: bool = False


class Settler:
    """Feed it a listing now and then; each arrival is told once for each change."""

    def __init__(
        self,
        *,
        digest: Callable[[str, Seen], bytes],
        closed: Callable[[str, Seen], bool | None],
        patience: Patience = DEFAULT_PATIENCE,
    ) -> None:
        self._digest, self._closed, self._patience = digest, closed, patience
        self._entries: dict[str, _Entry] = {}

    @property
    def pending(self) -> bool:
        """Whether anything is on its way."""
        return any(not entry.announced for entry in self._entries.values())

    def feed(self, listing: Listing, now: float) -> tuple[Settled, ...]:
        """What has become whole; ``now`` in monotonic seconds."""
        self._entries = {name: entry for name, entry in self._entries.items() if name in listing}
        for name, seen in sorted(listing.items()):
            self._look(name, seen, now)
        arrived = [*self._models(now), *self._others(now)]
        for each in arrived:
            for name in filter(None, each):
                self._entries[name].announced = True
        return tuple(arrived)

    def _look(self, name: str, seen: Seen, now: float) -> None:
        entry = self._entries.get(name)
        if entry is None or entry.seen != seen:
            self._entries[name] = _Entry(seen, now)
            return
        if entry.settled_at is not None or seen.unfinished:
            return
        needed = self._needed(name, seen)
        if needed is None:
            return
        if entry.digest is None:
            entry.digest = self._digest(name, seen)
        elif now - entry.since >= needed:
            again = self._digest(name, seen)
            if again == entry.digest:
                entry.settled_at = now
            else:  # written to although neither size nor times changed
                self._entries[name] = _Entry(seen, now, again)

    def _needed(self, name: str, seen: Seen) -> float | None:
        """Seconds without a change; None while somebody is writing."""
        closed = self._closed(name, seen)
        if closed is None:
            return self._patience.unsure_s
        return self._patience.settle_s if closed else None

    def _models(self, now: float) -> list[Settled]:
        """Model files, with their labels."""
        models = [name for name in self._entries if self._is_lone_model(name)]
        pairs = [Settled(name, label_file_of(name, self._entries)) for name in models]
        return [pair for pair in pairs if self._is_due(pair, now)]

    def _is_due(self, pair: Settled, now: float) -> bool:
        model = self._entries[pair.name]
        labels = None if pair.labels is None else self._entries[pair.labels]
        if model.settled_at is None:
            return False
        if model.announced and (labels is None or labels.announced):
            return False
        if labels is not None:
            return labels.settled_at is not None
        return now - model.settled_at >= self._patience.labels_s

    def _others(self, now: float) -> list[Settled]:
        """Folders, archives, files of other kinds, and labels that nobody came for."""
        claimed = self._claimed()
        return [
            Settled(name, None)
            for name, entry in self._entries.items()
            if not entry.announced and entry.settled_at is not None
            if not self._is_lone_model(name) and name not in claimed
            if now - entry.settled_at >= self._wait_for_model(name, entry)
        ]

    def _claimed(self) -> Collection[str]:
        models = [name for name in self._entries if self._is_lone_model(name)]
        labels = (label_file_of(name, self._entries) for name in models)
        return {name for name in labels if name is not None}

    def _wait_for_model(self, name: str, entry: _Entry) -> float:
        lacks = not entry.seen.has_model if entry.seen.folder else is_label_file(name)
        return self._patience.model_s if lacks else 0.0

    def _is_lone_model(self, name: str) -> bool:
        return is_model(name) and not self._entries[name].seen.folder
