"""Figures over time: compact, null in gaps, asked for again without sending it all."""

from __future__ import annotations

from edge_runtime.telemetry.history import CAMERA_FIGURES, FIGURES, History
from tests.web.fake_status import HEALTH, FakeClock, FakeStatus, snapshot
from tests.web.served import Served

PATH = "/api/v1/history"


def served() -> Served:
    clock = FakeClock(10_000.0)
    figures = History(clock=clock, wall=lambda: 1.8e9)
    service = Served(FakeStatus(figures=figures), clock=clock)
    for _ in range(10):
        figures.add([snapshot()], HEALTH)
        clock.now += 1.0
    return service


def test_each_figure_is_three_lists_with_null_in_gaps() -> None:
    answer = served().get(f"{PATH}?span=hour").json()
    assert (answer["span"], answer["step_s"]) == ("hour", 5.0)
    assert list(answer["figures"]) == list(FIGURES)
    warm = answer["figures"]["temperature_c"]
    assert {len(warm[each]) for each in ("low", "mean", "high")} == {720}
    assert warm["mean"][-4:] == [None, 54.2, 54.2, None]
    assert answer["figures"]["faces"]["high"][-2] == 2.0
    # The step of now ends in 5 s.
    assert answer["ends_at"] == 1.8e9 + 5.0


def test_the_day_is_the_default_of_nothing_and_other_spans_are_problems() -> None:
    service = served()
    day = service.get(f"{PATH}?span=day").json()
    assert (day["step_s"], len(day["figures"]["power_w"]["mean"])) == (60.0, 1440)
    assert service.get(PATH).json()["span"] == "hour"
    assert service.get(f"{PATH}?span=week").status_code == 422


def test_who_has_it_already_gets_304_and_many_who_ask_cost_one_answer() -> None:
    service = served()
    first = service.get(PATH)
    service.status.figures.add([snapshot()], HEALTH)
    again = service.get(PATH, headers={"if-none-match": first.headers["etag"]})
    assert again.status_code == 304
    service.clock.now += 5.0
    later = service.get(PATH, headers={"if-none-match": first.headers["etag"]})
    assert later.status_code == 200
    assert len(later.content) < 120_000


def test_of_several_cameras_each_is_told_alone() -> None:
    clock = FakeClock(10_000.0)
    figures = History(cameras=("front", "yard"), clock=clock, wall=lambda: 1.8e9)
    figures.add([snapshot(), snapshot(faces=())], HEALTH)
    answer = Served(FakeStatus(figures=figures), clock=clock).get(PATH).json()
    assert answer["figures"]["faces"]["mean"][-1] == 2
    assert answer["cameras"]["front"]["faces"]["mean"][-1] == 2
    assert answer["cameras"]["yard"]["faces"]["mean"][-1] == 0
    assert set(answer["cameras"]["yard"]) == set(CAMERA_FIGURES)
    assert served().get(PATH).json()["cameras"] == {}
