"""Python's garbage collector, kept out of the frame path.

Left to itself it runs wherever an allocation crosses a threshold, in the middle of a frame as well,
and a full pass over what is loaded here takes 55 ms on a 2 GHz core. So it is switched off, and
young objects are looked through between frames. What is there after ``SETTLED_S`` stays for good
and is frozen: no pass looks at it again.
"""

from __future__ import annotations

import gc
from types import TracebackType
from typing import Final, Protocol, Self

from edge_runtime.types import Clock

SETTLED_S: Final = 10.0
"""By then the page's libraries are loaded, also where a slow card holds them."""

YOUNG: Final = 2_000
"""Objects made and not freed again, from which on the young ones are looked through: 0.2 ms."""

FULL_EVERY: Final = 50
"""One of so many passes takes the old objects too: what the page left behind in a cycle."""


class Gc(Protocol):
    """The part of the ``gc`` module that is needed."""

    def isenabled(self) -> bool: ...
    def enable(self) -> None: ...
    def disable(self) -> None: ...
    def freeze(self) -> None: ...
    def unfreeze(self) -> None: ...
    def collect(self, generation: int = 2) -> int: ...
    def get_count(self) -> tuple[int, int, int]: ...


class Collector:
    """Collects only when told that no frame waits for it. Entering switches Python's own off."""

    def __init__(self, clock: Clock, collector: Gc = gc) -> None:
        self._clock = clock
        self._gc = collector
        self._was_on = False
        self._settles_at = float("inf")
        self._passes = 0

    def __enter__(self) -> Self:
        self._was_on = self._gc.isenabled()
        self._gc.disable()
        self._gc.freeze()  # what was imported: else all of it counts as young
        self._settles_at = self._clock() + SETTLED_S
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._gc.unfreeze()
        if self._was_on:
            self._gc.enable()

    def between_frames(self) -> None:
        """Collect if enough has gathered; 0.2 us when not."""
        if self._gc.get_count()[0] > YOUNG:
            self._passes += 1
            self._gc.collect(2 if self._passes % FULL_EVERY == 0 else 0)
        elif self._clock() >= self._settles_at:
            self._settles_at = float("inf")
            # Not collected first: that would be the long pass, with next to nothing to find.
            self._gc.freeze()
