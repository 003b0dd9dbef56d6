"""Who is recognized on clips: ``python -m benchmarks.people --data DIR [--page FILE]``.

DIR holds ``videos/``. One clip each of the persons a, c and d is enrolled from, all others are
looked through as they come, each with a pipeline of its own: whose name comes first, after how many
frames with that face, and what it costs. In the clips of these persons one name is right; in all
others, and in the demo, every name is wrong. Times are processor time of the thread.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import cv2

from benchmarks.gaze import frames_of
from benchmarks.performance_page import replaced
from edge_runtime.app.assembly import Assembly
from edge_runtime.app.enroller import Enroller
from edge_runtime.app.recognition import Recognition
from edge_runtime.capture.source import open_source
from edge_runtime.config import Config, load_config
from edge_runtime.mailbox import Mailbox
from edge_runtime.types import Frame

ENROLLED = {"a": "person_a_student", "c": "person_c_walk", "d": "person_d_sister"}
"""Person to the clip that enrols them."""

STRANGERS = (
    "head-pose-face-detection-female",
    "head-pose-face-detection-male",
    "face-demographics-walking-and-pause",
    "classroom",
    "empty-room",
)
DEMO_FRAMES = 360


@dataclass(slots=True)
class Seen:
    """What was said in one clip."""

    clip: str
    truth: str | None
    """The person whose name is right; None: none is."""
    frames: int = 0
    faces: int = 0
    right: int = 0
    wrong: int = 0
    """Frames of a face with another name."""
    first: int | None = None
    """Frames with the face until the right name came."""
    looks: int = 0
    ms: list[float] = field(default_factory=list)
    """What recognition added to each frame with a face."""

    @property
    def row(self) -> str:
        named = self.right / self.faces if self.faces else 0.0
        mean = sum(self.ms) / len(self.ms) if self.ms else 0.0
        first = "–" if self.first is None else str(self.first)
        truth = self.truth or "nobody"
        return (
            f"| {self.clip} | {truth} | {self.frames} | {first} | {named:.0%} | {self.wrong} "
            f"| {self.looks} | {mean:.3f} |"
        )


HEAD = (
    "| clip | right name | frames | frames until it came | of faces with it | wrong names "
    "| looks | added ms a frame |\n|---|---|---|---|---|---|---|---|"
)


def through(config: Config, clip: str, frames: Iterable[Frame], truth: str | None) -> Seen:
    """One clip, looked through with everybody enrolled."""
    seen = Seen(clip, truth)
    faces: Counter[int] = Counter()
    with Assembly(config, clock=time.thread_time) as assembly:
        pipeline = assembly.pipeline(Mailbox())
        with Recognition(config, assembly.lineup, [pipeline], lambda call: call()) as recognition:
            for frame in frames:
                snapshot = pipeline.process(frame)
                seen.frames += 1
                if snapshot.faces:
                    seen.ms.append(snapshot.stage_ms["recognize"])
                for face in snapshot.faces:
                    faces[face.track] += 1
                    seen.faces += 1
                    name = face.identity.name if face.identity else None
                    if name is not None and name == truth:
                        seen.right += 1
                        seen.first = seen.first or faces[face.track]
                    elif name is not None:
                        seen.wrong += 1
            seen.looks = recognition.looks
    return seen


def measured(data: Path) -> Iterator[Seen]:
    videos = data / "videos"
    with tempfile.TemporaryDirectory() as state:
        config = load_config(
            None, {}, {"state_dir": state, "people.enabled": True, "classify.models": []}
        )
        with Enroller(config) as enroller:
            for person, clip in ENROLLED.items():
                enrolment = enroller.from_files(person, [videos / f"{clip}.mkv"], print)
                enroller.keep(person, enrolment)
        for file in sorted(videos.glob("person_*.mkv")):
            if file.stem not in ENROLLED.values():
                yield through(config, file.stem, frames_of(file), file.stem.split("_")[1])
        for clip in STRANGERS:
            yield through(config, clip, frames_of(videos / f"{clip}.mp4"), None)
        with open_source("demo://", wait=lambda seconds: None) as demo:
            yield through(config, "the demo", islice(demo, DEMO_FRAMES), None)


def page(rows: list[Seen]) -> str:
    known = [row for row in rows if row.truth]
    soon = sum(row.first is not None and row.first <= 15 for row in known)
    spent = [each for row in rows for each in row.ms]
    wrong, faces = sum(row.wrong for row in rows), sum(row.faces for row in rows)
    lines = [
        f"{time.strftime('%Y-%m-%d')}; enrolled from {', '.join(ENROLLED.values())}.",
        "",
        f"- the right name within 15 frames in {soon} of {len(known)} clips",
        f"- wrong names: {wrong} in {faces} faces",
        f"- added to a frame with a face: {sum(spent) / max(len(spent), 1):.3f} ms on average",
        "",
        HEAD,
        *(row.row for row in rows),
    ]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--page", type=Path, help="also put the table into docs/known-faces.md")
    chosen = parser.parse_args()
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    cv2.setNumThreads(1)
    said = page(list(measured(chosen.data)))
    print(said)
    if chosen.page:
        chosen.page.write_text(replaced(chosen.page.read_text(), "people", said))


if __name__ == "__main__":
    main()
