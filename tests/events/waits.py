"""Waiting that takes no time."""

from __future__ import annotations


class Waits:
    """Notes how long was waited; ``stopping`` lets every wait say so."""

    def __init__(self) -> None:
        self.slept: list[float] = []
        self.stopping = False

    def wait(self, seconds: float) -> bool:
        self.slept.append(seconds)
        return self.stopping
