"""What a run comes to, counted frame by frame."""

from edge_runtime.app.summary import SelfCheck
from edge_runtime.types import Box, Face


def face(box: Box) -> Face:
    return Face(1, box, 0.9, {})


def test_the_self_check_tells_found_missed_and_false_faces() -> None:
    check = SelfCheck()
    truth = [Box(100, 100, 50, 60), Box(300, 100, 50, 60)]
    check.compare([face(Box(104, 98, 52, 60)), face(Box(10, 10, 40, 40))], truth)
    assert check.as_json() == {"faces": 2, "found": 1, "false": 1}


def test_a_frame_without_faces_counts_what_is_found_as_false() -> None:
    check = SelfCheck()
    check.compare([face(Box(10, 10, 40, 40))], [])
    assert check.as_json() == {"faces": 0, "found": 0, "false": 1}
