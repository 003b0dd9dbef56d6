"""Files through the pipeline: a line for every frame, and one bad file stops no other."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from edge_runtime.analyze.analysis import Analysis, Findings
from edge_runtime.analyze.inputs import files_of
from edge_runtime.analyze.results import Results
from edge_runtime.attention.tracker import Tracker
from edge_runtime.errors import OutputUnwritable, SourceUnavailable
from edge_runtime.pipeline import Inflow, Labeller, Pipeline, Turn
from edge_runtime.types import Box
from tests.white_faces import attention_with, classifier, frame_with

FACE = Box(200, 160, 96, 128)


class WhiteAssembly:
    """Pipelines that find white faces."""

    def __init__(self) -> None:
        self.budgets: list[str | None] = []

    def pipeline(
        self,
        inflow: Inflow,
        *,
        confirm: bool,
        motion_threshold: float,
        budget: str | None,
        every: int | None,
    ) -> Pipeline:
        self.budgets.append(budget)
        tracker = Tracker(confirm_hits=2 if confirm else 1, sure_score=0.9)
        looking = attention_with(tracker, motion_threshold=motion_threshold)
        return Pipeline(looking, Labeller([Turn(classifier())]), models=(), inflow=inflow)


def picture(path: Path, face: Box | None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), frame_with(face).luma)
    return path


def video(path: Path, faces: Sequence[Box | None]) -> Path:
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 5, (640, 480))
    for face in faces:
        writer.write(np.repeat(frame_with(face).luma[..., None], 3, axis=2))
    writer.release()
    return path


def analyze(paths: list[Path], out: Path, *, pictures: bool = False) -> tuple[Findings, list[Any]]:
    with Results(out, pictures=pictures) as results:
        analysis = Analysis(WhiteAssembly(), results, show_doubtful=False)  # type: ignore[arg-type]
        findings = analysis.run(files_of(paths), lambda done, what: None)
    return findings, [json.loads(line) for line in (out / "results.jsonl").open()]


def test_a_picture_gives_one_line(tmp_path: Path) -> None:
    file = picture(tmp_path / "a.png", FACE)
    _, (line,) = analyze([file], tmp_path / "out")
    assert (line["file"], line["frame"]) == (str(file), 0)
    assert (line["width"], line["height"]) == (640, 480)
    (face,) = line["faces"]
    assert face["box"] == pytest.approx(FACE, abs=4)
    assert face["track"] is None
    assert face["score"] == pytest.approx(0.982, abs=0.001)
    assert face["labels"]["whiteness"]["white"] > 0.6


def test_a_picture_without_a_face_gives_a_line_too(tmp_path: Path) -> None:
    _, (line,) = analyze([picture(tmp_path / "a.png", None)], tmp_path / "out")
    assert line["faces"] == []


def test_a_video_gives_a_line_for_every_frame_and_lasting_tracks(tmp_path: Path) -> None:
    faces = [FACE._replace(x=100 + 8 * i) for i in range(20)]
    findings, lines = analyze([video(tmp_path / "a.avi", faces)], tmp_path / "out")
    assert [line["frame"] for line in lines] == list(range(20))
    assert {face["track"] for line in lines for face in line["faces"]} == {1}
    assert (findings.frames, findings.frames_with_face, findings.faces) == (20, 20, 20)


def test_folders_are_walked_and_other_files_left_alone(tmp_path: Path) -> None:
    picture(tmp_path / "in/b.png", FACE)
    picture(tmp_path / "in/deep/a.png", FACE)
    (tmp_path / "in/notes.txt").write_text("no picture")
    findings, lines = analyze([tmp_path / "in"], tmp_path / "out")
    assert [Path(line["file"]).name for line in lines] == ["b.png", "a.png"]
    assert findings.files == 2


def test_one_broken_file_stops_no_other(tmp_path: Path) -> None:
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"\xff\xd8 no picture")
    findings, lines = analyze([broken, picture(tmp_path / "a.png", FACE)], tmp_path / "out")
    assert len(lines) == 1
    (problem,) = findings.problems
    assert "broken.jpg" in problem


def test_names_with_signs_that_mean_something_in_uris(tmp_path: Path) -> None:
    file = picture(tmp_path / "a?b #1%20.png", FACE)
    _, (line,) = analyze([file], tmp_path / "out")
    assert line["file"] == str(file)


def test_marked_pictures_do_not_overwrite_each_other(tmp_path: Path) -> None:
    files = [picture(tmp_path / "one/a.png", FACE), picture(tmp_path / "two/a.png", FACE)]
    analyze(files, tmp_path / "out", pictures=True)
    drawn = sorted(file.name for file in (tmp_path / "out/pictures").iterdir())
    assert drawn == ["a-2.jpg", "a.jpg"]
    marked = np.asarray(cv2.imread(str(tmp_path / "out/pictures/a.jpg")))
    assert np.ptp(marked.astype(int), axis=2).max() > 50  # coloured marks on a grey picture


def test_a_video_is_drawn_once_a_second_where_it_shows_a_face(tmp_path: Path) -> None:
    faces = [None] * 5 + [FACE] * 10
    analyze([video(tmp_path / "a.avi", faces)], tmp_path / "out", pictures=True)
    drawn = sorted(file.name for file in (tmp_path / "out/pictures").iterdir())
    assert drawn == ["a-000005.jpg", "a-000010.jpg"]


def test_a_path_that_does_not_exist_is_said_before_anything_is_done(tmp_path: Path) -> None:
    with pytest.raises(SourceUnavailable, match="nowhere does not exist"):
        files_of([tmp_path / "nowhere"])


def test_an_empty_folder_is_said(tmp_path: Path) -> None:
    with pytest.raises(SourceUnavailable, match="holds no picture and no video"):
        files_of([tmp_path])


def test_an_output_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputUnwritable, match="cannot write to"):
        Results(tmp_path / "file" / "out", pictures=False)
