"""The contract of a step: some keys of ``edge.conf``, what is right for them, and doing it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from edge_runtime.setup.system import System

Values = Mapping[str, str]
"""Of one wish: keys of one step to what the person wrote. Never empty."""


@dataclass(frozen=True, slots=True)
class Step:
    """What is done about some keys.

    ``check`` looks at the values alone and raises ConfigError. ``apply`` does it, says in a few
    words what it did (no secrets), and raises SetupFailed or ConfigError; doing it twice is no more
    than doing it once, since a power cut may come before the file says that it was done.
    """

    keys: tuple[str, ...]
    check: Callable[[Values], None]
    apply: Callable[[Values, System], str]
