"""Faces that are followed get their names."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from edge_runtime.capture.picture import BgrPicture
from edge_runtime.identity import Identity
from edge_runtime.people.recognizer import (
    AGAIN_S,
    FORGET_S,
    PACE,
    UNKNOWN_AGAIN_S,
    Recognizer,
)
from edge_runtime.people.sight import Sight
from edge_runtime.types import Box, Picture, Region
from tests.people.faces import GOOD, Meaning, good, somebody, terms, view, views

ANN, BOB, STRANGER = somebody(1), somebody(2), somebody(77)
PEOPLE = {"Ann": views(ANN, 3), "Bob": views(BOB, 3)}
PICTURE = BgrPicture(np.zeros((48, 64, 3), np.uint8))
FRAME = 1 / 30


class Eyes:
    """Stands where the encoder does: says whom it looks at, by the box's left edge."""

    def __init__(self, who: Callable[[Box, int], Sight]) -> None:
        self.meaning = Meaning()
        self.invoke_s = 0.001
        self.looked: list[Box] = []
        self._who = who

    def look(self, picture: Picture, face: Box) -> Sight:
        self.looked.append(face)
        return self._who(face, len(self.looked))


def region(track: int, x: float = 0.0) -> Region:
    return Region(track, Box(x, 0, 10, 10), 0.9)


def recognizer(who: Callable[[Box, int], Sight]) -> tuple[Recognizer, Eyes]:
    eyes = Eyes(who)
    return Recognizer(eyes, terms(PEOPLE)), eyes


def ann(face: Box, count: int) -> Sight:
    return good(view(ANN, count))


def follow(
    recognizing: Recognizer, regions: list[Region], frames: int, begin: float = 0.0
) -> list[dict[int, Identity]]:
    return [
        recognizing.recognize(PICTURE, regions, begin + index * FRAME) for index in range(frames)
    ]


def test_a_name_comes_after_two_looks_and_is_not_asked_for_again() -> None:
    recognizing, eyes = recognizer(ann)
    said = follow(recognizing, [region(1)], 30)
    assert [each[1].verdict for each in said].index("known") == PACE
    assert said[-1][1].name == "Ann"
    assert len(eyes.looked) == 2
    assert recognizing.looks == 2


def test_a_frame_without_a_look_costs_no_interpreter() -> None:
    recognizing, _ = recognizer(ann)
    follow(recognizing, [region(1)], 1)
    assert recognizing.invoke_s == 0.001
    follow(recognizing, [region(1)], 1)
    assert recognizing.invoke_s == 0.0


def test_of_a_group_one_face_a_frame_is_looked_at_and_nobody_is_left_out() -> None:
    recognizing, eyes = recognizer(
        lambda face, count: good(view(ANN if face.x < 50 else STRANGER, count))
    )
    group = [region(track, x=track * 20.0) for track in range(1, 6)]
    said = follow(recognizing, group, 60)
    assert len(eyes.looked) < 60
    assert {track: each.verdict for track, each in said[-1].items()} == {
        1: "known", 2: "known", 3: "unknown", 4: "unknown", 5: "unknown",
    }  # fmt: skip


def test_bad_sights_say_what_hinders_and_do_not_count() -> None:
    recognizing, _ = recognizer(
        lambda face, count: Sight(GOOD, hindrance="too small") if count < 5 else ann(face, count)
    )
    said = follow(recognizing, [region(1)], 40)
    assert said[0][1] == Identity("unsure", hindrance="too small")
    assert said[-1][1].name == "Ann"
    assert said[-1][1].hindrance is None


def test_a_face_that_was_recognized_is_held_against_itself_now_and_then() -> None:
    recognizing, eyes = recognizer(ann)
    follow(recognizing, [region(1)], int(3 * AGAIN_S / FRAME))
    assert len(eyes.looked) == 4


def test_somebody_who_was_hidden_is_known_once_they_show_their_face() -> None:
    recognizing, eyes = recognizer(
        lambda face, count: good(view(STRANGER if count < 8 else ANN, count))
    )
    said = follow(recognizing, [region(1)], int(2.5 * UNKNOWN_AGAIN_S / FRAME))
    assert "unknown" in [each[1].verdict for each in said]
    assert said[-1][1].name == "Ann"
    assert len(eyes.looked) < 15


def test_one_bad_look_takes_no_name_away_and_two_do() -> None:
    for wrong, name in ((1, "Ann"), (10, "Bob")):
        recognizing, _ = recognizer(
            lambda face, count, wrong=wrong: good(  # type: ignore[misc]
                view(BOB if 2 < count <= 2 + wrong else ANN, count)
            )
        )
        said = follow(recognizing, [region(1)], int(2.5 * AGAIN_S / FRAME))
        assert said[-1][1].name == name
        assert all(each[1].name in ("Ann", name) for each in said[PACE:] if each[1].name)


def test_a_face_out_of_sight_for_a_moment_keeps_its_name_and_later_it_is_forgotten() -> None:
    recognizing, eyes = recognizer(ann)
    follow(recognizing, [region(1)], 10)
    follow(recognizing, [region(9)], 15, begin=1.0)
    looked = len(eyes.looked)
    assert follow(recognizing, [region(1), region(9)], 1, begin=1.6)[0][1].name == "Ann"
    assert len(eyes.looked) == looked
    later = 1.6 + FORGET_S + 1
    follow(recognizing, [region(9)], 1, begin=later)
    assert follow(recognizing, [region(1), region(9)], 1, begin=later + FRAME)[0][1].name is None


def test_other_people_are_found_out_anew() -> None:
    recognizing, eyes = recognizer(ann)
    follow(recognizing, [region(1)], 10)
    recognizing.exchange(eyes, terms({"Bob": PEOPLE["Bob"]}))
    assert follow(recognizing, [region(1)], 30, begin=1.0)[-1][1].verdict == "unknown"


def test_a_turned_head_is_noted() -> None:
    yaws = [0.0, 0.1, 0.2, 0.3, 0.3, 0.1, 0.0]
    recognizing, _ = recognizer(
        lambda face, count: (
            Sight(GOOD, hindrance="too small")
            if count > len(yaws)
            else good(view(somebody(3), 1, 0.36), yaw=yaws[count - 1])
        )
    )
    recognizing.exchange(recognizing._eyes, terms({"Cleo": views(somebody(3), 2)}))
    said = follow(recognizing, [region(1)], 7 * PACE + 1)
    assert said[0][1].turned is False
    assert said[-1][1].turned is True
