"""The models and thresholds of other settings: opened beside the present ones, put in at once."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack

from edge_runtime.app.assembly import Assembly, OpenedModel
from edge_runtime.app.lineup import Lineup
from edge_runtime.closeable import Closeable
from edge_runtime.config import Config
from edge_runtime.pipeline import Pipeline
from edge_runtime.store.shelf.shelf import Shelf


class Settlement(Closeable):
    """Making it opens what is new, in the caller's thread. Closing it gives that back, unused.

    Raises ModelMissing, ManifestInvalid or ModelRejected.
    """

    def __init__(self, config: Config, assembly: Assembly, shelf: Shelf | None) -> None:
        self._config, self._assembly = config, assembly
        self._lineup = Lineup(config, shelf)
        self._fresh = ExitStack()
        self._playing: dict[str, OpenedModel] = {}
        with ExitStack() as opening:
            opening.callback(self.close)
            for role, model in self._lineup.all().items():
                playing = assembly.playing(role)
                if playing is None or self._named_anew(role):
                    playing = assembly.open_warm(model)
                    self._fresh.callback(playing.engine.close)
                self._playing[role] = playing
            opening.pop_all()
        self.replaced: tuple[OpenedModel, ...] = ()
        """Those that played before and do not any more; whoever let it take effect closes them."""

    def take_effect(self, pipelines: Sequence[Pipeline]) -> None:
        """Between two frames. Raises ModelRejected, and then nothing has changed."""
        before = self._assembly.opened
        self._assembly.settle(self._config, self._lineup, self._playing, pipelines)
        kept = {id(each) for each in self._playing.values()}
        self.replaced = tuple(each for each in before if id(each) not in kept)
        self._fresh.pop_all()

    def close(self) -> None:
        self._fresh.close()

    def _named_anew(self, role: str) -> bool:
        """An activated model plays on; one of the settings', unless they name another."""
        return self._lineup.activated(role) is None and (
            self._lineup.settled(role) != self._assembly.lineup.settled(role)
        )
