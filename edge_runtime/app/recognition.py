"""Recognition of people: its two models, the file of people, and a recognizer for each camera."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from edge_runtime.app.assembly import OpenedModel, warm_up
from edge_runtime.app.lineup import Lineup
from edge_runtime.app.tuned import open_tuned
from edge_runtime.closeable import Closeable
from edge_runtime.config import Config
from edge_runtime.errors import EdgeRuntimeError
from edge_runtime.people.encoder import FaceEncoder
from edge_runtime.people.evidence import Terms
from edge_runtime.people.gallery import Gallery
from edge_runtime.people.points import PointFinder
from edge_runtime.people.recognizer import Recognizer
from edge_runtime.people.register import FILE, Register
from edge_runtime.people.seal import seal_of
from edge_runtime.people.template import Person
from edge_runtime.pipeline import Pipeline
from edge_runtime.service.worker import Worker
from edge_runtime.types import ModelInUse

log = logging.getLogger(__name__)

CHECK_S: Final = 1.0
"""How long somebody who was enrolled by command may wait to be known."""

Do = Callable[[Callable[[], None]], None]
"""Has something done between two frames."""


def open_register(config: Config, credentials: Path | None) -> Register:
    """The people of the settings' state folder. ``credentials``: of the service, from systemd.

    Raises ConfigError or LibraryMissing for the key that seals them.
    """
    seal = seal_of(credentials, config.people.key_file)
    return Register(config.state_dir / FILE, seal=seal)


def compared_model(config: Config) -> str:
    """SHA-256 of the model whose vectors are compared. Raises ModelError."""
    return Lineup(config).find(config.people.model, ("embedding",)).sha256


class Eyes(Closeable):
    """The two models that look at a face, opened. Close them.

    Raises ModelMissing, ManifestInvalid or ModelRejected with the model's name.
    """

    def __init__(self, config: Config, lineup: Lineup) -> None:
        with ExitStack() as opened:
            finds = lineup.find(config.people.points, ("points",))
            points = OpenedModel(*open_tuned(finds, config))
            opened.callback(points.engine.close)
            compares = lineup.find(config.people.model, ("embedding",))
            vectors = OpenedModel(*open_tuned(compares, config))
            opened.callback(vectors.engine.close)
            self.encoder = FaceEncoder(
                vectors.engine,
                vectors.model.manifest,
                PointFinder(points.engine, points.model.manifest),
            )
            self.models: tuple[ModelInUse, ...] = (points.in_use, vectors.in_use)
            self.model = vectors.model.sha256
            """Of the model whose vectors are compared: templates carry it."""
            for engine in (points.engine, vectors.engine):
                warm_up(engine)
            self._opened = opened.pop_all()

    def terms(self, people: Sequence[Person], false_accepts: float) -> Terms:
        """When a face gets the name of one of them; whom another model enrolled, is left out."""
        gallery = Gallery({each.name: each.vectors(self.model) for each in people})
        return Terms.of(gallery, self.encoder.meaning, false_accepts)

    def close(self) -> None:
        self._opened.close()


class Recognition(Closeable):
    """Lets every pipeline ask whose faces it sees, and follows the file of people."""

    def __init__(
        self,
        config: Config,
        lineup: Lineup,
        pipelines: Sequence[Pipeline],
        do: Do,
        *,
        credentials: Path | None = None,
    ) -> None:
        """``do`` is used by ``follow`` alone; this is called before the first frame."""
        self.register = open_register(config, credentials)
        self._false_accepts = config.people.false_accepts
        self._do = do
        self._mark: object = None
        with ExitStack() as opened:
            self.eyes = opened.enter_context(Eyes(config, lineup))
            terms = self._read() or self.eyes.terms((), self._false_accepts)
            self._recognizers = [Recognizer(self.eyes.encoder, terms) for _ in pipelines]
            for pipeline, recognizer in zip(pipelines, self._recognizers, strict=True):
                pipeline.recognize_by(recognizer, self.eyes.models)
            self._opened = opened.pop_all()

    @property
    def looks(self) -> int:
        """At faces of all cameras, since the start."""
        return sum(recognizer.looks for recognizer in self._recognizers)

    def follow(self, worker: Worker) -> None:
        """Let changes of the file take effect, until the worker is stopped."""
        while not worker.wait(CHECK_S):
            self.bring_up_to_date()

    def bring_up_to_date(self) -> None:
        """Recognize those whom the file holds now, if it has changed."""
        terms = self._read()
        if terms is None:
            return

        def exchange() -> None:
            for recognizer in self._recognizers:
                recognizer.exchange(self.eyes.encoder, terms)

        self._do(exchange)

    def _read(self) -> Terms | None:
        """The terms of a file that has changed; None when it has not, or cannot be used."""
        mark = self._marked()
        if mark == self._mark:
            return None
        self._mark = mark
        try:
            people = self.register.people()
        except EdgeRuntimeError as error:
            log.warning("whoever was known stays so: %s", error)
            return None
        outdated = [each.name for each in people if each.outdated(self.eyes.model)]
        if outdated:
            log.warning(
                "%s must be enrolled anew: the model that tells people apart is another one now",
                ", ".join(outdated),
            )
        log.info("people: %d enrolled", len(people) - len(outdated))
        return self.eyes.terms(people, self._false_accepts)

    def _marked(self) -> tuple[int, int, int] | None:
        """What changes when the file is replaced; None: there is none."""
        try:
            found = self.register.path.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino

    def close(self) -> None:
        self._opened.close()
