"""One activation of a model: a line of the history, and an entry of what is active."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from edge_runtime.store.shelf.version import Version


@dataclass(frozen=True, slots=True, kw_only=True)
class Activation:
    """Who put which model in a role, when and why, and what came of it."""

    number: int
    """1 for the first, then always one more: clocks of boards may go backwards."""
    at: float
    """Seconds since 1970."""
    role: str
    """What the model does, such as ``detector`` or ``classifier/smile``."""
    version: Version | None
    """None: back to what the settings name."""
    who: str
    """Such as ``command line``, ``page`` or ``probation``."""
    why: str
    result: str
    """``activated``, ``rolled back``, or what went wrong, with the model before still active."""

    def to_json(self) -> str:
        """One line."""
        version = self.version._asdict() if self.version else None
        fields = {name: getattr(self, name) for name in self.__slots__}
        return json.dumps(fields | {"version": version}, ensure_ascii=False)

    @classmethod
    def from_fields(cls, fields: Any) -> Activation:
        """From parsed JSON. Raises ValueError, TypeError or KeyError when it is none of ours."""
        if not isinstance(fields["number"], int):
            raise TypeError(f"number is {fields['number']!r}")
        version = fields["version"]
        return cls(**fields | {"version": Version(**version) if version else None})
