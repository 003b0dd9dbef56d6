"""Lost and back, once each, however loose the plug is."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

from edge_runtime.events.camera_watch import STEADY_S, CameraWatch
from edge_runtime.events.pace import Pace
from edge_runtime.types import Camera, CameraState, Rates, Snapshot
from tests.events.told import Told, face

CAMERA = Camera("v4l2:///dev/video0", "a camera", "streaming", 640, 480, live=True, reopened=0)
NO_RATES = Rates(None, None, None, 0, 0, 0)
EMPTY = Snapshot(
    frame=0, taken_at=0.0, width=640, height=480, faces=(), motion=0.0, detected=True,
    stage_ms=MappingProxyType({}), latency=MappingProxyType({}), rates=NO_RATES, inferences=0,
    frames_with_face=0, models=(),
)  # fmt: skip


class Watched(Told):
    def __init__(self, prefix: str = "") -> None:
        super().__init__()
        self.watch = CameraWatch("front", self.log, Pace(), clock=self.clock, prefix=prefix)

    def stands(self, state: CameraState, problem: str | None = None) -> None:
        self.watch.stands(replace(CAMERA, state=state, problem=problem))

    def frames(self, seconds: float) -> None:
        for _ in range(round(seconds * 10)):
            self.clock.now += 0.1
            self.watch.look(EMPTY)


def test_lost_and_back_are_one_event_each() -> None:
    watched = Watched()
    watched.stands("opening")
    watched.stands("streaming")
    watched.stands("lost", "unplugged")
    watched.stands("lost", "no /dev/video0")
    watched.clock.now += 30
    watched.stands("streaming")
    assert watched.kinds == ["camera_lost"]
    watched.frames(STEADY_S + 0.2)
    watched.frames(5)
    assert watched.kinds == ["camera_lost", "camera_back"]
    lost, back = watched.events
    assert (lost.fields, lost.sentence) == ({"problem": "unplugged"}, "Camera lost: unplugged")
    assert (back.fields, back.sentence) == ({"seconds": 30.0}, "Camera back after 30 s")


def test_a_loose_plug_is_one_event() -> None:
    watched = Watched()
    for _ in range(50):
        watched.stands("streaming")
        watched.frames(STEADY_S / 2)
        watched.stands("lost", "unplugged")
        watched.frames(0.3)
    assert watched.kinds == ["camera_lost"]


def test_an_end_says_why_if_it_came_too_early() -> None:
    watched = Watched(prefix="front: ")
    watched.stands("ended", "cut short")
    watched.stands("ended", "cut short")
    assert [each.sentence for each in watched.events] == ["front: camera has ended: cut short"]
    whole = Watched()
    whole.stands("streaming")
    whole.stands("ended")
    assert whole.events[0].fields == {"problem": None}


def test_faces_leave_while_no_frame_comes() -> None:
    watched = Watched()
    for _ in range(10):
        watched.clock.now += 0.1
        watched.watch.look(replace(EMPTY, faces=(face(1),)))
    watched.frames(2.5)  # what the loop publishes while the camera is silent
    assert watched.kinds == ["face_came", "face_left"]
