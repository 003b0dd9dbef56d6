"""Enrolling from a camera, pictures or clips: faces found as always, looked at, the best kept."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Final
from urllib.parse import quote

from edge_runtime.app.assembly import Assembly
from edge_runtime.app.recognition import Eyes, open_register
from edge_runtime.capture.source import open_source
from edge_runtime.closeable import Closeable
from edge_runtime.config import Config
from edge_runtime.errors import EnrolmentRefused
from edge_runtime.mailbox import Mailbox
from edge_runtime.people.enrolment import Enrolment, Progress
from edge_runtime.people.evidence import Evidence
from edge_runtime.people.sight import Sight
from edge_runtime.people.template import Person, checked_name, same_name
from edge_runtime.pipeline import Pipeline
from edge_runtime.types import Box, Clock, Face, Frame, Picture

log = logging.getLogger(__name__)

PACE: Final = 3
"""Frames of a clip or camera from one look to the next: neighbours show the same."""

MUCH_LARGER: Final = 2.0
"""Somebody in the background may be there: the face to enrol is so many times as large."""

Say = Callable[[str], None]
"""Told a sentence for who stands before the camera, whenever it is another one."""


class Enroller(Closeable):
    """Looks at one person at a time. Close it.

    Raises ModelError when a model cannot be opened, and what ``open_register`` raises.
    """

    def __init__(self, config: Config, *, credentials: Path | None = None) -> None:
        # Of people only faces are of interest here, so no classifier is loaded.
        self._config = config.model_copy(
            update={"classify": config.classify.model_copy(update={"models": ()})}
        )
        self.register = open_register(config, credentials)
        with ExitStack() as opened:
            self._assembly = opened.enter_context(Assembly(self._config))
            self._eyes = opened.enter_context(Eyes(config, self._assembly.lineup))
            self._opened = opened.pop_all()

    def from_files(self, name: str, files: Sequence[Path], say: Say) -> Enrolment:
        """What pictures and clips show of a person. Raises SourceError for one that is none."""
        enrolment = self._begun(name)
        for file in files:
            before = enrolment.views
            hindrance: Progress | None = None
            for progress in self._through(file, enrolment):
                hindrance = progress if progress.outcome != "taken" else hindrance
            if enrolment.views == before:
                say(f"{file}: {_nothing(hindrance)}")
        return enrolment

    def from_camera(
        self, name: str, uri: str, say: Say, *, within_s: float, clock: Clock
    ) -> Enrolment:
        """What a camera shows of who stands before it, until it is enough or time is up."""
        enrolment = self._begun(name)
        said, began = "", clock()
        pipeline = self.pipeline()
        with open_source(uri, stall_timeout_s=self._config.capture.stall_timeout_s) as source:
            for index, frame in enumerate(source):
                with closing(frame):
                    faces = pipeline.process(frame).faces
                    if index % PACE == 0:
                        advice = self._advice(frame, faces, enrolment)
                        if advice != said:
                            said = advice
                            say(advice)
                if enrolment.complete or clock() - began > within_s:
                    break
        return enrolment

    def keep(self, name: str, enrolment: Enrolment, *, force: bool = False) -> Person:
        """Write what was seen into the register. Raises EnrolmentRefused when nothing was, or when
        it is the face of somebody who is enrolled under another name, unless ``force`` is said.
        """
        name = checked_name(name)
        templates = enrolment.templates()
        others = [each for each in self.register.people() if not same_name(each.name, name)]
        if not force:
            terms = self._eyes.terms(others, self._config.people.false_accepts)
            evidence = Evidence()
            for template in templates:
                evidence.add(template.vector, terms)
            like = evidence.says(terms).name
            if like is not None:
                raise EnrolmentRefused(
                    f"this is the face of {like}, who is enrolled: rename or remove {like}, or say "
                    "--force where they really are two people"
                )
        return self.register.add(name, templates)

    def pipeline(self) -> Pipeline:
        """Finds the faces to look at, as a run does."""
        return self._assembly.pipeline(Mailbox())

    def look(self, picture: Picture, face: Box) -> Sight:
        """What the picture shows of a face, for recognition."""
        return self._eyes.encoder.look(picture, face)

    def _begun(self, name: str) -> Enrolment:
        """Nothing seen yet. A name that cannot be kept is refused before anybody stands there."""
        checked_name(name)
        return Enrolment(self._eyes.encoder.meaning, self._eyes.model)

    def _through(self, file: Path, enrolment: Enrolment) -> Iterator[Progress]:
        """A picture's face, or a clip's every few frames."""
        with open_source(
            f"file://{quote(str(file.absolute()))}", wait=lambda seconds: None
        ) as source:
            pipeline = self._pipeline(source.live)
            for index, frame in enumerate(source):
                with closing(frame):
                    faces = pipeline.process(frame).faces
                    face = the_one(faces)
                    if face is not None and index % PACE == 0:
                        yield enrolment.see(self.look(frame.picture, face))

    def _pipeline(self, live: bool) -> Pipeline:
        return self._assembly.pipeline(Mailbox(), confirm=live, motion_threshold=0.0, budget="full")

    def _advice(self, frame: Frame, faces: Sequence[Face], enrolment: Enrolment) -> str:
        face = the_one(faces)
        if face is None:
            return (
                "Nobody is to be seen: stand before the camera."
                if not faces
                else "There are several faces: one person at a time."
            )
        return enrolment.see(self.look(frame.picture, face)).advice

    def close(self) -> None:
        self._opened.close()


def the_one(faces: Sequence[Face]) -> Box | None:
    """The face that is meant: the only one, or the one that is far larger than all others."""
    largest = sorted(faces, key=lambda face: face.box.area, reverse=True)
    if not largest:
        return None
    if len(largest) > 1 and largest[0].box.w < MUCH_LARGER * largest[1].box.w:
        return None
    return largest[0].box


def _nothing(last: Progress | None) -> str:
    if last is None:
        return "no face was found in it, or several of the same size"
    return f"nothing of it was kept. {last.advice}"
