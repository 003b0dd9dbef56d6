"""The thread that takes in what is dropped, follows what others chose, and tidies up."""

from __future__ import annotations

import logging
import time
from pathlib import Path
from typing import Final

from edge_runtime.app.activator import Activator, Tell
from edge_runtime.app.lineup import role_of
from edge_runtime.config import Config
from edge_runtime.errors import EdgeRuntimeError, ModelError
from edge_runtime.service.worker import Worker
from edge_runtime.store.arrival.watch import Arrival, Watch
from edge_runtime.store.desk import ADMITTED, DROPS, Desk
from edge_runtime.store.manifest import Manifest
from edge_runtime.store.shelf.shelf import REJECTED, Shelf
from edge_runtime.store.shelf.version import Version
from edge_runtime.store.signature import SUFFIX
from edge_runtime.types import Clock

log = logging.getLogger(__name__)

FOLLOW_S: Final = 0.5
"""How often to see what the command line chose."""

WHO: Final = "drop"


def drops_folder(config: Config) -> Path:
    """Where models are dropped."""
    return config.models.dir or config.state_dir / DROPS


def open_shelf(config: Config) -> Shelf:
    """The shelf of the settings' folder; nothing is written by opening it."""
    folder = drops_folder(config)
    return Shelf(folder / ADMITTED, keep=config.models.keep_versions, rejected=folder / REJECTED)


class Intake:
    """Arrivals become versions on the shelf, and those play if the settings say so."""

    def __init__(
        self,
        config: Config,
        desk: Desk,
        activator: Activator,
        *,
        tell: Tell,
        clock: Clock = time.monotonic,
    ) -> None:
        self._auto = config.models.auto_activate
        self._desk, self._activator, self._tell = desk, activator, tell
        self._watch = Watch(drops_folder(config), others=_no_drop, clock=clock)

    def watch(self, worker: Worker) -> None:
        """Work of a thread: take in what is dropped, until it is stopped."""
        for arrival in self._watch.arrivals(worker):
            self.receive(arrival)

    def follow(self, worker: Worker) -> None:
        """Work of another: let play what was chosen elsewhere, and tidy up."""
        while not worker.wait(FOLLOW_S):
            self.look_around()

    def receive(self, arrival: Arrival) -> None:
        """Take in one arrival, or refuse it with a reason beside it."""
        try:
            version, manifest = self._desk.take_in(arrival.path, arrival.labels)
            if not self._watch.unchanged(arrival):
                return  # what is there now will arrive as well
            self._clear(arrival)
        except EdgeRuntimeError as error:
            self._refuse(arrival, error)
            return
        self.admitted(version, manifest, who=WHO, why=f"{arrival.path.name} was dropped")

    def admitted(self, version: Version, manifest: Manifest, *, who: str, why: str) -> str:
        """Tell of a model that was taken in, and activate it if the settings say so.

        Returns a sentence.
        """
        sentence = f"{version} is on the shelf"
        self._tell("admitted", str(version), sentence)
        return self._activate(version, manifest, who, why) if self._auto else sentence

    def look_around(self) -> None:
        """Once: what was chosen by another program since the last time is active now."""
        try:
            self._activator.tend()
            self._activator.follow()
        except EdgeRuntimeError as error:
            # Such as a full disk: what runs goes on running, and the next look tries again.
            log.warning("a change of models has to wait: %s", error)

    def _activate(self, version: Version, manifest: Manifest, who: str, why: str) -> str:
        try:
            role = role_of(manifest)
            self._activator.activate(role, version, who=who, why=why)
        except EdgeRuntimeError as error:
            log.warning("%s is on the shelf but does not play: %s", version, error)
            return f"{version} is on the shelf but does not play: {error}"
        return self._activator.standing(role, version)

    def _refuse(self, arrival: Arrival, error: EdgeRuntimeError) -> None:
        self._tell("refused", arrival.path.name, str(error))
        if not isinstance(error, ModelError) or not self._watch.unchanged(arrival):
            return  # the file is not to blame, or another one came in its place
        try:
            for path in filter(None, (arrival.labels, arrival.path)):
                self._desk.refuse(path, error)
        except (EdgeRuntimeError, FileNotFoundError) as trouble:
            log.warning("%s stays where it is: %s", arrival.path, trouble)

    def _clear(self, arrival: Arrival) -> None:
        """What is on the shelf need not lie in the folder for drops."""
        signature = arrival.path.with_name(arrival.path.name + SUFFIX)
        for path in filter(None, (arrival.path, arrival.labels, signature)):
            self._desk.clear(path)


def _no_drop(name: str) -> bool:
    return name in (ADMITTED, REJECTED) or name.endswith(SUFFIX)
