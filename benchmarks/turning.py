"""How far a nose moves between the eyes: ``python -m benchmarks.turning --data DIR``.

The range of ``Quality.yaw`` of a flat picture and of a head in the round, both turned by
computation (points only, a camera twelve eye distances away), and of the people on clips of DIR, as
found by the models; and what the gate says of those sights.
"""

from __future__ import annotations

import argparse
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np

from benchmarks.gaze import frames_of
from edge_runtime.app.enroller import PACE, Enroller, the_one
from edge_runtime.config import load_config
from edge_runtime.people.layout import similarity
from edge_runtime.people.sight import quality_of
from tests.people.faces import FLAT, HEAD, Meaning, seen

SIDE = 64
PLACES = np.array(Meaning().points) * SIDE


def yaw(head: np.ndarray, turn: float) -> float:
    points = seen(head, turn)
    crop = np.zeros((SIDE, SIDE), np.uint8)
    return quality_of(points, PLACES, similarity(points, PLACES), crop).yaw


def on_clip(enroller: Enroller, clip: Path, hindered: Counter[str]) -> float:
    """From the second least to the second most of a clip, as ``Turning`` takes it."""
    pipeline, yaws = enroller.pipeline(), []
    for index, frame in enumerate(frames_of(clip)):
        face = the_one(pipeline.process(frame).faces)
        if face is not None and index % PACE == 0:
            sight = enroller.look(frame.picture, face)
            yaws.append(sight.quality.yaw)
            hindered[sight.hindrance or "counts"] += 1
    yaws.sort()
    return yaws[-2] - yaws[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    videos = parser.parse_args().data / "videos"
    flat = [yaw(FLAT, turn) for turn in range(-40, 41, 5)]
    print(f"flat, turned by 40 degrees both ways: {max(flat) - min(flat):.2f}")
    print("head, by 10, 20, 30 degrees:", *(f"{yaw(HEAD, turn):.2f}" for turn in (10, 20, 30)))
    hindered: Counter[str] = Counter()
    clips = [*sorted(videos.glob("person_*.mkv")), *sorted(videos.glob("head-pose*"))]
    with (
        tempfile.TemporaryDirectory() as state,
        Enroller(load_config(None, {}, {"state_dir": state})) as enroller,
    ):
        for clip in clips:
            print(f"{clip.stem}: {on_clip(enroller, clip, hindered):.2f}")
    print(dict(hindered))


if __name__ == "__main__":
    main()
