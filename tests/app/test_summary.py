"""What a run comes to, counted frame by frame."""

from edge_runtime.app.summary import CameraSummary, SelfCheck, Summary, Tally
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


def of(*cameras: CameraSummary) -> Summary:
    return Summary(cameras, seconds=10.0, first_result_s=0.5, peak_memory_mb=99.0, models=())


def camera(name: str, **counts: int) -> CameraSummary:
    check = SelfCheck(faces=4, found=3, false=1)
    return CameraSummary(
        name, f"demo://?seed={len(name)}", Tally(**counts, check=check), None, 10.0
    )


def test_one_camera_is_the_whole_run() -> None:
    line = of(camera("front", frames=101, faces=7, tracks=2)).as_json()
    assert (line["frames"], line["faces"], line["tracks"], line["fps"]) == (101, 7, 2, 10.0)
    assert "cameras" not in line


def test_several_cameras_are_added_up_and_told_one_by_one() -> None:
    front = camera("front", frames=101, faces=7, tracks=2)
    line = of(front, camera("back", frames=51, faces=1, tracks=1)).as_json()
    assert (line["frames"], line["faces"], line["tracks"], line["fps"]) == (152, 8, 3, 15.1)
    assert line["self_check"] == {"faces": 8, "found": 6, "false": 2}
    assert line["cameras"]["back"]["fps"] == 5.0
    assert line["cameras"]["front"] == front.as_json()
