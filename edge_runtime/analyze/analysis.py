"""One file after the other through the pipeline: every frame looked at, nothing dropped."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import quote

from edge_runtime.analyze.inputs import is_picture
from edge_runtime.analyze.results import Results
from edge_runtime.app.assembly import Assembly
from edge_runtime.capture.source import open_source
from edge_runtime.errors import SourceError
from edge_runtime.mailbox import Mailbox
from edge_runtime.pipeline import Pipeline
from edge_runtime.types import Frame

log = logging.getLogger(__name__)

USUAL_FPS: Final = 25.0
"""Taken for a video that does not say its own: only decides which frames are drawn."""

Progress = Callable[[int, str], None]
"""Told how many files were finished, 0 or 1, and what is being looked at."""


@dataclass(slots=True)
class Findings:
    """What an analysis came to."""

    files: int = 0
    frames: int = 0
    frames_with_face: int = 0
    faces: int = 0
    problems: list[str] = field(default_factory=list)
    """One sentence for each file that could not be read, or not to its end."""


class Analysis:
    """Runs files through the models of an assembly.

    Stills show every face at or over the threshold. Videos are tracked: there a doubtful face must
    be seen twice, unless ``show_doubtful``.
    """

    def __init__(
        self,
        assembly: Assembly,
        results: Results,
        *,
        show_doubtful: bool,
        budget: str | None = None,
    ) -> None:
        """``budget`` overrules the config's for videos, and the whole pyramid for stills."""
        self._assembly = assembly
        self._budget = budget
        self._results = results
        self._show_doubtful = show_doubtful
        self.findings = Findings()

    def run(self, files: Sequence[Path], progress: Progress) -> Findings:
        """All ``files``; one that cannot be read is noted and the others go on."""
        for file in files:
            try:
                self._look_through(file, progress)
            except SourceError as error:
                log.warning("%s", error)
                self.findings.problems.append(str(error))
            self.findings.files += 1
            progress(1, file.name)
        return self.findings

    def _look_through(self, file: Path, progress: Progress) -> None:
        still = is_picture(file)
        pipeline = self._pipeline(still)
        scheme = "pictures" if still else "file"
        with open_source(f"{scheme}://{quote(str(file.absolute()))}") as source:
            every = 1 if still else max(1, round(source.fps or USUAL_FPS))
            for frame in source:
                self._look_at(file, frame, pipeline, still=still, draw_every=every)
                if frame.index % every == 0:
                    progress(0, f"{file.name}, frame {frame.index}")

    def _look_at(
        self, file: Path, frame: Frame, pipeline: Pipeline, *, still: bool, draw_every: int
    ) -> None:
        try:
            snapshot = pipeline.process(frame)
            self._results.add(file, snapshot, still=still)
            if still or (snapshot.faces and frame.index % draw_every == 0):
                self._results.draw(file, frame, snapshot.faces, still=still)
        finally:
            frame.close()
        self.findings.frames += 1
        self.findings.frames_with_face += bool(snapshot.faces)
        self.findings.faces += len(snapshot.faces)

    def _pipeline(self, still: bool) -> Pipeline:
        """A pipeline that knows nothing of the file before, and never rests."""
        confirm = not (still or self._show_doubtful)
        # A still has no next frame to look closer at: see all of it now, and ask about everybody.
        budget = self._budget or ("full" if still else None)
        return self._assembly.pipeline(
            Mailbox(),
            confirm=confirm,
            motion_threshold=0.0,
            budget=budget,
            every=1 if still else None,
        )
