"""The hours of the day in which little should be done."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from datetime import time
from typing import Self


def local_time() -> time:
    """What the clock on the wall says."""
    return datetime.datetime.now().astimezone().time()


@dataclass(frozen=True, slots=True)
class QuietHours:
    """From ``begins`` until just before ``ends``, over midnight if need be."""

    begins: time
    ends: time

    @classmethod
    def parsed(cls, text: str) -> Self:
        """From ``22:00-07:00``, which the settings have checked."""
        begins, _, ends = text.partition("-")
        return cls(time.fromisoformat(begins), time.fromisoformat(ends))

    def __contains__(self, moment: time) -> bool:
        if self.begins < self.ends:
            return self.begins <= moment < self.ends
        return moment >= self.begins or moment < self.ends

    def __str__(self) -> str:
        return f"{self.begins:%H:%M}-{self.ends:%H:%M}"
