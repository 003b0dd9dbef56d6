"""Events over the API: pages that miss nothing, files, the stream, and how the rules have done."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from typing import Any

import pytest

from edge_runtime.events.log import EventLog
from edge_runtime.events.rule import Rule
from edge_runtime.events.rules import RuleState
from edge_runtime.events.runner import Tally
from edge_runtime.web.event_feed import EventFeed
from tests.web.fake_status import FakeCamera, FakeClock, FakeStatus
from tests.web.served import Served, listening

ROOT = "/api/v1"


def served(count: int = 0, *, keep: int = 1000) -> Served:
    """A service whose log has so many events, of two cameras in turn."""
    log = EventLog(keep, clock=lambda: 100.0, wall=lambda: 1.8e9)
    service = Served(FakeStatus(name="front", others=(FakeCamera("yard"),), log=log))
    for number in range(count):
        log.tell(
            "face_left" if number % 3 == 0 else "face_came",
            f"Event {number}",
            camera=("front", "yard")[number % 2],
            track=number,
            box=(1, 2, 3, 4),
        )
    return service


def ask(service: Served, query: str = "") -> Any:
    answer = service.get(f"{ROOT}/events{query}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def tracks(report: Any) -> list[int]:
    return [event["track"] for event in report["events"]]


def test_without_a_cursor_it_is_the_newest() -> None:
    report = ask(served(250), "?limit=3")
    assert tracks(report) == [247, 248, 249]
    assert report["events"][0]["fields"] == {"box": [1, 2, 3, 4]}
    assert report["events"][0]["time"] == "2027-01-15T08:00:00.000Z"
    assert report["next"] == report["events"][-1]["id"]


def test_following_the_cursor_misses_nothing_and_repeats_nothing() -> None:
    service = served(25)
    seen, cursor = [], ask(service, "?limit=1")["events"][0]["id"] - 25
    for _ in range(20):
        report = ask(service, f"?after={cursor}&limit=10")
        seen += tracks(report)
        cursor = report["next"]
        if not report["more"]:
            service.status.log.tell("face_came", "One more", camera="front", track=100 + len(seen))
        assert report["gap"] is False
    assert seen[:25] == list(range(25))
    assert len(seen) == len(set(seen)) > 30


def test_a_filter_moves_the_cursor_past_what_it_leaves_out() -> None:
    service = served(40)
    first = service.status.log.oldest - 1
    report = ask(service, f"?after={first}&kind=face_left&limit=1000")
    assert tracks(report) == list(range(0, 40, 3))
    assert report["next"] == service.status.log.newest
    assert tracks(ask(service, "?kind=face_left&kind=face_came&camera=yard&limit=2")) == [37, 39]


def test_before_leads_back() -> None:
    service = served(10)
    report = ask(service, "?limit=4")
    for expected in ([2, 3, 4, 5], [0, 1], []):
        report = ask(service, f"?limit=4&before={report['events'][0]['id']}")
        assert tracks(report) == expected
        if len(expected) < 4:
            break


@pytest.mark.parametrize(("behind", "gap"), [(21, True), (20, False), (0, False), (-5, True)])
def test_a_gap_is_said(behind: int, gap: bool) -> None:
    service = served(50, keep=20)
    report = ask(service, f"?after={service.status.log.newest - behind}")
    assert report["gap"] is gap


@pytest.mark.parametrize(
    ("query", "status", "words"),
    [
        ("?kind=face_went", 422, "face_came"),
        ("?after=1&before=2", 422, "keep one"),
        ("?after=x", 422, "integer"),
        ("?after=-1", 422, "greater"),
        ("?limit=0", 422, "greater"),
        ("?limit=1001", 422, "less"),
        ("?camera=gone", 404, "expected one of front, yard"),
    ],
)
def test_what_cannot_be_answered_is_a_problem(query: str, status: int, words: str) -> None:
    answer = served().get(f"{ROOT}/events{query}")
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert words in answer.json()["detail"]


def test_all_of_them_as_lines() -> None:
    service = served(150)
    answer = service.get(f"{ROOT}/events.jsonl?camera=front")
    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert [line["track"] for line in lines] == list(range(0, 150, 2))
    assert lines == [e.as_json() for e in service.status.log.after(0) if e.camera == "front"]
    assert answer.headers["content-disposition"] == 'attachment; filename="events.jsonl"'
    assert answer.headers["content-type"].startswith("application/jsonl")


def test_all_of_them_as_a_table_in_which_nothing_is_a_formula() -> None:
    service = served(2)
    evil = '=cmd|"calc"!A0, line\nbreak'
    service.status.log.tell("model_refused", evil, camera=None, track=None, model="@x.zip")
    rows = list(csv.DictReader(io.StringIO(service.get(f"{ROOT}/events.csv").text)))
    assert [row["track"] for row in rows] == ["0", "1", ""]
    assert rows[2]["sentence"] == f"'{evil}"
    assert json.loads(rows[2]["fields"]) == {"model": "@x.zip"}


def test_rules_as_they_stand() -> None:
    service = served()
    tally = Tally(done=3, failed=1, dropped=0, waiting=2, problem="nobody answers")
    rule = Rule("bell", ("face_came",))
    service.status.ruled = (RuleState(rule, "POST to https://example.org/***", 7, tally),)
    assert service.get(f"{ROOT}/rules").json() == {
        "rules": [
            {
                "name": "bell",
                "when": ["face_came"],
                "does": "POST to https://example.org/***",
                "done": 3,
                "failed": 1,
                "dropped": 0,
                "held_back": 7,
                "waiting": 2,
                "problem": "nobody answers",
            }
        ]
    }


class Feed:
    """A feed whose ticks come when the test says."""

    def __init__(self) -> None:
        self.clock = FakeClock(0.0)
        self.log = EventLog(5, clock=self.clock, wall=lambda: 1.8e9)
        self.feed = EventFeed(
            self.log, tick_s=1, heartbeat_s=10, clock=self.clock, sleep=self._sleep
        )

    async def _sleep(self, seconds: float) -> None:
        self.clock.now += seconds


def test_the_stream_sends_what_happens_from_now_on_and_breathes_in_between() -> None:
    feed = Feed()
    feed.log.tell("face_came", "Before", camera="front", track=1)

    async def follow() -> None:
        stream = feed.feed.events(lambda event: event.kind == "face_came", None)
        assert await anext(stream) == b"retry: 3000\n\n"
        assert feed.feed.subscribers == 1
        feed.log.tell("face_left", "Not wanted", camera="front", track=1)
        assert await anext(stream) == b": still here\n\n"
        feed.log.tell("face_came", "One", camera="front", track=2)
        feed.log.tell("face_came", "Two", camera="front", track=3)
        said = (await anext(stream)).decode()
        newest = feed.log.newest
        assert said.startswith(f"id: {newest - 1}\nevent: face_came\ndata: {{")
        assert f"\n\nid: {newest}\nevent: face_came\n" in said
        await stream.aclose()

    asyncio.run(follow())
    assert feed.feed.subscribers == 0


def test_who_comes_again_gets_what_he_missed_as_far_as_it_is_kept() -> None:
    feed = Feed()
    for track in range(8):
        feed.log.tell("face_came", f"Event {track}", camera="front", track=track)

    async def missed(seen: int) -> list[str]:
        stream = feed.feed.events(lambda _: True, seen)
        await anext(stream)
        said = (await anext(stream)).decode()
        await stream.aclose()
        return [
            json.loads(line[6:])["sentence"] for line in said.splitlines() if line[:4] == "data"
        ]

    newest = feed.log.newest
    assert asyncio.run(missed(newest - 2)) == ["Event 6", "Event 7"]
    assert len(asyncio.run(missed(newest - 100))) == 5
    assert len(asyncio.run(missed(newest + 10**9))) == 5  # of a run whose clock was ahead


def test_the_stream_over_http_resumes_and_has_a_limit() -> None:
    service = served(3)

    async def follow() -> None:
        async with listening(service.app, f"{ROOT}/events/live?camera=front") as (listener, _):
            assert await listener.next() == b"retry: 3000\n\n"
            assert listener.headers["content-type"].startswith("text/event-stream")
            service.status.log.tell("face_came", "Now", camera="front", track=9)
            assert b'"sentence": "Now"' in await listener.next()

    asyncio.run(follow())
    full = Served(options={"max_subscribers": 0})
    answer = full.get(f"{ROOT}/events/live")
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "10"
