"""The shipped models on recorded clips, through the whole of the main job."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from edge_runtime.app.runtime import Runtime
from edge_runtime.config import load_config

PEOPLE = (
    *("person_a_again", "person_a_brother", "person_a_help", "person_a_no", "person_a_student"),
    *("person_a_yes", "person_c_book", "person_c_learn", "person_c_school", "person_c_walk"),
    *("person_d_eat", "person_d_night", "person_d_sister"),
)


def summed_up(clip: Path) -> dict[str, Any]:
    if not clip.is_file():
        pytest.skip(f"{clip.name} is not among the recorded data")
    settings = {
        "source.uri": f"file://{quote(str(clip))}",
        "web.enabled": False,
        "classify.models": ["smile"],
    }
    with Runtime(load_config(None, {}, settings)) as runtime:
        return runtime.run(threading.Event()).as_json()


@pytest.mark.parametrize("name", PEOPLE)
def test_somebody_at_a_desk_is_seen_in_nearly_every_frame(data_dir: Path, name: str) -> None:
    line = summed_up(data_dir / "videos" / f"{name}.mkv")
    assert line["frames"] > 40
    assert line["dropped"] == 0
    assert line["frames_with_face"] >= 0.95 * line["frames"]


def test_nobody_is_seen_where_people_turn_their_backs(data_dir: Path) -> None:
    line = summed_up(data_dir / "videos" / "empty-room.mp4")
    assert line["frames"] > 1300
    assert line["faces"] <= line["frames"] / 200
