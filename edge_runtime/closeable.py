"""What is opened must be closed: the with statement for everything that has ``close``."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Self


class Closeable(ABC):
    """Closed when its with block ends, however it ends."""

    @abstractmethod
    def close(self) -> None:
        """Give back what was opened; closing twice is harmless."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
