"""Pauses after wrong guesses: each address may err a few times, then waits twice as long each time.

Bounded on both sides: no pause is longer than ``LONGEST_S``, no more than ``MOST_ADDRESSES`` are
remembered. Tokens are too long to be guessed anyway; this keeps guessing out of the log and off
the processor.
"""

from __future__ import annotations

import ipaddress
import math
import time
from collections import OrderedDict
from typing import Final, NamedTuple

from edge_runtime.types import Clock

FREE: Final = 5
"""Wrong guesses without a pause: people mistype."""
LONGEST_S: Final = 300.0
FORGET_S: Final = 900.0
"""After the last wrong guess."""
MOST_ADDRESSES: Final = 1024


class _Record(NamedTuple):
    failures: int
    failed_at: float


class Backoff:
    """Counts wrong guesses by address. For one thread."""

    def __init__(self, *, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._records: OrderedDict[str, _Record] = OrderedDict()

    def __len__(self) -> int:
        return len(self._records)

    def wait_s(self, address: str) -> int:
        """Whole seconds until the address may try again; 0: at once."""
        record = self._record(_neighbourhood(address))
        if record is None or record.failures <= FREE:
            return 0
        pause = min(LONGEST_S, 2.0 ** min(record.failures - FREE - 1, 30))
        return max(0, math.ceil(record.failed_at + pause - self._clock()))

    def failed(self, address: str) -> None:
        """A wrong guess came from there."""
        key = _neighbourhood(address)
        record = self._record(key)
        failures = record.failures + 1 if record else 1
        self._records[key] = _Record(failures, self._clock())
        self._records.move_to_end(key)
        if len(self._records) > MOST_ADDRESSES:
            self._records.popitem(last=False)

    def succeeded(self, address: str) -> None:
        """The right one came from there."""
        self._records.pop(_neighbourhood(address), None)

    def _record(self, key: str) -> _Record | None:
        record = self._records.get(key)
        if record is not None and self._clock() - record.failed_at > FORGET_S:
            del self._records[key]
            return None
        return record


def _neighbourhood(address: str) -> str:
    """The address, of IPv6 the half that a household is given: it may change the other at will."""
    try:
        number = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if number.version == 4:
        return str(number)
    if number.ipv4_mapped is not None:
        return str(number.ipv4_mapped)
    return str(ipaddress.IPv6Network((number, 64), strict=False))
