"""The log: ids that only grow, a bound, and waking who waits."""

from __future__ import annotations

import threading

from edge_runtime.events.log import EventLog
from tests.events.told import Moment, Told


def test_ids_grow_by_one_and_go_on_above_those_of_an_earlier_run() -> None:
    clock = Moment()
    first = EventLog(clock=clock, wall=clock.wall)
    for _ in range(3):
        first.tell("face_came", "A face came")
    ids = [each.id for each in first.after(0)]
    assert ids == [ids[0], ids[0] + 1, ids[0] + 2]
    clock.now += 1
    second = EventLog(clock=clock, wall=clock.wall)
    second.tell("face_came", "A face came")
    assert second.newest > first.newest


def test_only_the_newest_are_kept() -> None:
    clock = Moment()
    log = EventLog(3, clock=clock, wall=clock.wall)
    for track in range(5):
        log.tell("face_came", "A face came", track=track)
    assert [each.track for each in log.after(0)] == [2, 3, 4]
    assert log.oldest == log.newest - 2


def test_after_gives_what_is_newer_and_all_to_who_comes_from_another_clock() -> None:
    told = Told()
    for track in range(4):
        told.log.tell("face_came", "A face came", track=track)
    newest = told.log.newest
    assert [each.track for each in told.log.after(newest - 2)] == [2, 3]
    assert told.log.after(newest) == ()
    assert len(told.log.after(newest + 10**12)) == 4


def test_an_event_has_both_times_and_reads_as_json() -> None:
    told = Told()
    told.log.tell("face_came", "A face came", camera="front", track=7, box=(1, 2, 3, 4), score=0.9)
    (event,) = told.events
    assert (event.moment, event.at) == (100.0, 1_000_100.0)
    assert event.as_json() == {
        "id": event.id,
        "time": "1970-01-12T13:48:20.000Z",
        "kind": "face_came",
        "camera": "front",
        "track": 7,
        "fields": {"box": [1, 2, 3, 4], "score": 0.9},
        "sentence": "A face came",
    }


def test_who_waits_is_woken_by_an_event_and_by_closing() -> None:
    log = EventLog()
    woken: list[bool] = []

    def wait_twice() -> None:
        seen = log.newest
        woken.append(log.wait(seen, 10))
        woken.append(log.wait(seen + 1, 10))

    seen = log.newest
    waiting = threading.Thread(target=wait_twice)
    waiting.start()
    log.tell("face_came", "A face came")
    assert log.newest == seen + 1
    log.close()
    waiting.join(5)
    # Told before it began to wait, or after: woken either way.
    assert not waiting.is_alive()
    assert woken[-1] is False


def test_waiting_ends_by_itself() -> None:
    assert EventLog().wait(2**62, 0) is False


def test_what_is_no_longer_kept_is_still_counted() -> None:
    log = EventLog(2)
    for camera in ("front", "front", "yard", "front"):
        log.tell("face_came", "A face came", camera=camera)
    assert log.counts() == {("face_came", "front"): 3, ("face_came", "yard"): 1}
