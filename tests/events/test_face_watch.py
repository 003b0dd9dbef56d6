"""Visits: a face that comes, stays, turns and leaves is one of each, however it flickers."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace

from edge_runtime.events.face_watch import FaceWatch
from edge_runtime.events.pace import Pace
from edge_runtime.identity import Identity
from edge_runtime.types import Face
from tests.events.told import Told, face

FPS = 8  # an eighth of a second is exact
SMILE = {"neutral": 0.05, "smile": 0.95}
NEUTRAL = {"neutral": 0.95, "smile": 0.05}


class Door(Told):
    """A camera at a door."""

    def __init__(self, *, prefix: str = "", pace: Pace | None = None) -> None:
        super().__init__()
        self.watch = FaceWatch("front", self.log, pace or Pace(), prefix=prefix)

    def show(self, seconds: float, *faces: Face) -> None:
        for _ in range(round(seconds * FPS)):
            self.look(faces)

    def look(self, faces: Sequence[Face]) -> None:
        self.watch.look(faces, self.clock.now)
        self.clock.now += 1 / FPS


def test_a_face_comes_stays_and_leaves() -> None:
    door = Door()
    door.show(12, face(7))
    door.show(3)
    assert door.kinds == ["face_came", "face_stayed", "face_left"]
    came, stayed, left = door.events
    assert (came.camera, came.track) == ("front", 7)
    assert came.fields == {"score": 0.9, "box": (100, 100, 80, 80), "faces": 1}
    assert came.moment == 100.375
    assert stayed.fields == {"seconds": 10.0}
    assert left.fields == {"seconds": 11.9, "faces": 0}
    assert [each.sentence for each in door.events] == [
        "A face came",
        "A face has been there for 10 s",
        "A face left after 12 s",
    ]


ANN = Identity("known", "Ann", 0.71, 9.4, 3)
STRANGER = Identity("unknown", None, 0.18, -12.1, 3)


def people_of(door: Door) -> list[str]:
    return [each.sentence for each in door.events if each.kind.startswith("person_")]


def test_somebody_known_is_told_by_name_once_and_again_when_they_leave() -> None:
    door = Door()
    door.show(1, face(7, identity=Identity("unsure")))
    door.show(20, face(7, identity=ANN))
    door.show(3)
    known, left = (each for each in door.events if each.kind.startswith("person_"))
    assert (known.kind, known.sentence, known.track) == ("person_known", "Ann is here", 7)
    assert known.fields == {"person": "Ann", "score": 0.71, "evidence": 9.4}
    assert (left.kind, left.sentence) == ("person_left", "Ann left")
    assert left.ends(known)


def test_a_turned_head_is_told_of_somebody_known_only() -> None:
    door = Door()
    door.show(2, face(1, identity=ANN))
    door.show(2, face(1, identity=replace(ANN, turned=True)))
    door.show(2, face(2, x=400, identity=replace(STRANGER, turned=True)))
    assert people_of(door)[:3] == [
        "Ann is here",
        "Ann turned the head, as no photograph can",
        "Somebody unknown is here",
    ]


def test_somebody_unknown_is_told_and_once_more_when_they_stay() -> None:
    door = Door(pace=Pace(unknown_after_s=5.0))
    door.show(20, face(1, identity=STRANGER))
    door.show(3)
    assert people_of(door) == [
        "Somebody unknown is here",
        "Somebody unknown has been here for 5 s",
        "Somebody unknown left",
    ]


def test_a_face_that_becomes_somebody_else_is_told_anew() -> None:
    door = Door()
    door.show(2, face(1, identity=STRANGER))
    door.show(2, face(1, identity=ANN))
    door.show(2, face(1, identity=replace(ANN, name="Bob")))
    assert people_of(door) == ["Somebody unknown is here", "Ann is here", "Bob is here"]


def test_a_face_that_nobody_is_sure_of_leaves_without_a_word() -> None:
    door = Door()
    door.show(2, face(1, identity=Identity("unsure", hindrance="too small")))
    door.show(3)
    assert people_of(door) == []


def test_a_face_that_flickers_is_one_visit() -> None:
    door = Door()
    for _ in range(20):
        door.show(0.25, face(1))
        door.show(1.5)
    assert door.kinds == ["face_came", "face_stayed"]


def test_a_face_with_a_new_number_where_one_was_lost_is_the_same_visit() -> None:
    door = Door()
    door.show(2, face(1, x=100))
    door.show(1.3)
    door.show(2, face(2, x=150))
    door.show(1.3)
    door.show(2, face(3, x=120))
    door.show(3)
    assert door.kinds == ["face_came", "face_left"]
    assert {each.track for each in door.events} == {1}


def test_another_face_elsewhere_or_of_another_size_is_a_visit_of_its_own() -> None:
    door = Door()
    door.show(2, face(1, x=100))
    door.show(0.5)
    door.show(1, face(2, x=300))
    door.show(1, face(2, x=300), face(3, x=100, size=300))
    assert door.kinds.count("face_came") == 3
    assert [each.fields["faces"] for each in door.events if each.kind == "face_came"] == [1, 2, 3]


def test_a_face_beside_one_that_is_there_does_not_take_its_visit() -> None:
    door = Door()
    door.show(1, face(1, x=100))
    door.show(1, face(2, x=160), face(1, x=100))
    assert door.kinds == ["face_came", "face_came"]


def test_a_glimpse_is_no_event() -> None:
    door = Door()
    for track in range(1, 30):
        door.show(0.25, face(track, x=300 * track))
    door.show(5)
    assert door.kinds == []


def test_a_label_turns_once_and_only_after_the_face_has_come() -> None:
    door = Door(pace=Pace(label_hold_s=0.2, came_after_s=1.0))
    door.show(2, face(1, labels={"smile": NEUTRAL}))
    door.show(2, face(1, labels={"smile": SMILE}))
    assert door.kinds == ["face_came", "label_changed", "label_changed"]
    first, second = door.events[1:]
    assert first.moment == door.events[0].moment
    assert first.fields == {"model": "smile", "label": "neutral", "before": None, "score": 0.95}
    assert second.fields == {"model": "smile", "label": "smile", "before": "neutral", "score": 0.95}
    assert first.sentence == "A face is labelled neutral (score 0.95)"
    assert second.sentence == "A face turned from neutral to smile (score 0.95)"


def test_a_label_is_said_as_it_is_written() -> None:
    door = Door()
    door.show(3, face(1, labels={"mood": {"Happy": 0.9, "Sad": 0.1}}))
    assert door.events[-1].sentence == "A face is labelled Happy (score 0.90)"


def test_two_classifiers_have_each_their_label() -> None:
    door = Door()
    door.show(3, face(1, labels={"smile": SMILE, "mask": {"mask": 0.9, "none": 0.1}}))
    turned = [each.fields["model"] for each in door.events if each.kind == "label_changed"]
    assert turned == ["smile", "mask"]


def test_sentences_name_the_camera_where_there_are_several() -> None:
    door = Door(prefix="front: ")
    door.show(1, face(1))
    assert door.events[0].sentence == "front: a face came"


def test_the_surest_sight_before_it_came_is_its_score() -> None:
    door = Door()
    for score in (0.5, 0.8, 0.6, 0.55):
        door.show(1 / FPS, face(1, score=score))
    assert door.events[0].fields["score"] == 0.8


def test_frames_in_which_nothing_changes_allocate_nothing() -> None:
    door = Door()
    faces = tuple(face(i, x=200 * i, labels={"smile": SMILE}) for i in range(1, 5))
    door.show(20, *faces)
    look = door.watch.look
    grown = []
    for _ in range(3):  # other threads of the test run allocate too, but not in every round
        moments = [door.clock.now + i / FPS for i in range(1000)]
        look(faces, moments[0])
        before = sys.getallocatedblocks()
        for now in moments:
            look(faces, now)
        grown.append(sys.getallocatedblocks() - before)
    assert min(grown) < 20  # the loop's own


def test_a_crowd_that_passes_leaves_nothing_behind() -> None:
    door = Door()
    for track in range(1, 500):
        door.show(0.5, face(track, x=300 * (track % 7)))
    door.show(5)
    assert door.watch._visits == {}
    assert door.kinds.count("face_came") == door.kinds.count("face_left")
