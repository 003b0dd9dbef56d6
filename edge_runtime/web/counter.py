"""What the web room asks of those who take models in and exchange them."""

from __future__ import annotations

from typing import Protocol

from edge_runtime.web.shelf_report import Done, HistoryReport, ModelsReport


class Upload(Protocol):
    """One file that is being handed over. Methods block: call them in a worker thread."""

    def write(self, content: bytes) -> None:
        """Raises ShelfUnwritable."""

    def take_in(self) -> Done:
        """Once all is written: try the model, and keep it. Raises EdgeRuntimeError, saying why."""

    def close(self) -> None:
        """Remove the file, whatever came of it."""


class Counter(Protocol):
    """Where models are handed in and chosen.

    Each method reads or writes the disk, so it is for a worker thread. Changes raise
    EdgeRuntimeError with one sentence, and nothing has changed then.
    """

    @property
    def largest_bytes(self) -> int:
        """Of an upload; at once there."""

    def models(self) -> ModelsReport: ...

    def history(self) -> HistoryReport: ...

    def upload(self, name: str) -> Upload:
        """Begin to take a file called ``name``; close what is returned."""

    def activate(self, name: str, version: str | None) -> Done:
        """Let a version play its role; None: the latest. Returns when it does."""

    def roll_back(self, name: str) -> Done:
        """Let what was active before be active again; ``name`` is a role or a model in one."""

    def remove(self, name: str, version: str) -> Done: ...
