"""Which rule fires when: filters, what must last, debounce, quiet hours, and full queues."""

from __future__ import annotations

import datetime
import logging
import threading
from typing import Any

import pytest

from edge_runtime.errors import ActionFailed
from edge_runtime.event import Event
from edge_runtime.events.action import Action, Firing, Wait
from edge_runtime.events.keeper import MOST_LASTING, Keeper
from edge_runtime.events.rule import Rule
from edge_runtime.events.rules import Rules
from edge_runtime.events.runner import MOST_WAITING, Runner
from edge_runtime.quiet_hours import QuietHours
from tests.events.told import Told, event
from tests.events.waits import Waits

NOON = datetime.time(12)


def keeper(*, at: datetime.time = NOON, **more: Any) -> Keeper:
    values: dict[str, Any] = {"name": "rule", "when": ("face_came",)} | more
    return Keeper(Rule(**values), time_of_day=lambda: at)


def heard(kept: Keeper, *events: Event) -> list[Event]:
    return [each for each in map(kept.hear, events) if each is not None]


@pytest.mark.parametrize(
    ("filters", "fields", "fits"),
    [
        ({}, {}, True),
        ({"camera": "front"}, {}, True),
        ({"camera": "yard"}, {}, False),
        ({"when": ("face_left",)}, {}, False),
        ({"when": ("face_left", "face_came")}, {}, True),
        ({"label": "smile"}, {"label": "smile"}, True),
        ({"label": "smile"}, {"label": "neutral"}, False),
        ({"label": "smile"}, {}, False),
        ({"model": "smile"}, {"model": "mask"}, False),
        ({"person": "Ann"}, {"person": "Ann"}, True),
        ({"person": "Ann"}, {"person": None}, False),
        ({"person": "Ann"}, {}, False),
        ({"min_score": 0.8}, {"score": 0.8}, True),
        ({"min_score": 0.8}, {"score": 0.79}, False),
        ({"min_score": 0.8}, {"score": None}, False),
    ],
)
def test_every_filter_must_fit(filters: Any, fields: Any, fits: bool) -> None:
    assert bool(heard(keeper(**filters), event(**fields))) is fits


def test_after_it_fired_it_rests_whoever_comes() -> None:
    kept = keeper(debounce_s=10.0)
    fired = heard(kept, *(event(moment=100.0 + second, track=second) for second in range(25)))
    assert [each.moment for each in fired] == [100.0, 110.0, 120.0]
    assert kept.held_back == 22


def test_in_quiet_hours_it_keeps_still_and_does_not_rest_for_it() -> None:
    now = datetime.time(23)
    rule = Rule("rule", ("face_came",), quiet_hours=QuietHours.parsed("22:00-07:00"))
    kept = Keeper(rule, time_of_day=lambda: now)
    assert heard(kept, event(moment=100.0)) == []
    now = datetime.time(7)
    assert len(heard(kept, event(moment=101.0))) == 1


class TestLasting:
    """``for_s``: only what still lasts."""

    def test_it_fires_once_when_the_time_has_come(self) -> None:
        kept = keeper(for_s=5.0)
        came = event(moment=100.0)
        assert heard(kept, came) == []
        assert kept.due_at == 105.0
        assert list(kept.due(104.9)) == []
        assert list(kept.due(105.0)) == [came]
        assert list(kept.due(200.0)) == []
        assert kept.due_at is None

    @pytest.mark.parametrize(
        ("begins", "ends", "fires"),
        [
            (event(), event("face_left"), False),
            (event(), event("face_left", track=2), True),
            (event(), event("face_left", camera="yard"), True),
            (event("label_changed", model="smile"), event("face_left"), False),
            (event("label_changed", model="smile"), event("label_changed", model="smile"), False),
            (event("label_changed", model="smile"), event("label_changed", model="mask"), True),
            (event("camera_lost", track=None), event("camera_back", track=None), False),
            (event("throttled", alarm="a"), event("throttled_over", alarm="a"), False),
            (event("throttled", alarm="a"), event("throttled_over", alarm="b"), True),
        ],
    )
    def test_what_is_over_does_not_fire(self, begins: Event, ends: Event, fires: bool) -> None:
        kept = keeper(when=(begins.kind,), for_s=5.0, label=begins.fields.get("label"))
        kept.hear(begins)
        # The end is no beginning for this rule: another label than the one it waits for.
        kept.rule = Rule("rule", ("face_stayed",), for_s=5.0)
        kept.hear(ends)
        assert bool(list(kept.due(1000.0))) is fires

    def test_who_is_out_of_sight_when_the_time_has_come_is_looked_for_until_he_left(self) -> None:
        seen_at = 104.0
        kept = Keeper(
            Rule("rule", ("face_came",), for_s=5.0),
            time_of_day=lambda: NOON,
            still_there=lambda _, since: seen_at >= since,
        )
        came = event(moment=100.0)
        kept.hear(came)
        assert list(kept.due(105.0)) == []
        assert kept.due_at == pytest.approx(105.1)
        assert list(kept.due(105.05)) == []
        seen_at = 105.2
        assert list(kept.due(105.3)) == [came]
        other = event(moment=120.0)
        kept.hear(other)
        assert list(kept.due(125.0)) == []
        kept.hear(event("face_left", moment=126.0))
        assert kept.due_at is None

    def test_a_crowd_does_not_fill_the_memory(self) -> None:
        kept = keeper(for_s=5.0, debounce_s=0.0)
        heard(kept, *(event(track=track) for track in range(5000)))
        assert len(list(kept.due(1000.0))) == MOST_LASTING


class Scripted(Action):
    """Fails as often as it is told."""

    description = "do what the test says"

    def __init__(self, failures: int = 0) -> None:
        self.failures, self.fired = failures, list[Firing]()
        self.cancelled = threading.Event()
        self.blocks = False

    def run(self, firing: Firing, wait: Wait) -> None:
        self.fired.append(firing)
        if self.blocks:
            assert self.cancelled.wait(10)
        if self.failures:
            self.failures -= 1
            raise ActionFailed("nobody answers")

    def cancel(self) -> None:
        self.cancelled.set()


class Ruled(Told):
    """Rules over a log, each runner's work done when the test says."""

    def __init__(self, rule: Rule, action: Action) -> None:
        super().__init__()
        self.rules = Rules([(rule, action)], self.log, clock=self.clock, time_of_day=lambda: NOON)
        (self.runner,) = self.rules.runners

    def come(self, track: int = 1) -> None:
        self.log.tell("face_came", "A face came", camera="front", track=track)

    def work(self) -> None:
        self.rules.look()
        self.runner.finish()
        self.runner.work(Waits())


def test_events_reach_the_action_in_order_and_only_new_ones() -> None:
    action = Scripted()
    ruled = Ruled(Rule("rule", ("face_came",), debounce_s=0.0), action)
    for track in range(3):
        ruled.come(track)
    ruled.work()
    ruled.work()
    assert [each.event.track for each in action.fired] == [0, 1, 2]
    assert {each.rule for each in action.fired} == {"rule"}


def test_what_ended_before_it_was_looked_at_does_not_fire_late() -> None:
    """The watching thread may be late; events carry their own time."""
    action = Scripted()
    ruled = Ruled(Rule("rule", ("face_came",), for_s=5.0), action)
    ruled.come(1)
    ruled.clock.now += 3
    ruled.log.tell("face_left", "A face left", camera="front", track=1)
    ruled.come(2)
    ruled.clock.now += 6
    ruled.log.tell("face_left", "A face left", camera="front", track=2)
    ruled.work()
    assert [each.event.track for each in action.fired] == [2]


def test_a_failing_action_is_one_event_and_one_line(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    ruled = Ruled(Rule("bell", ("face_came",), debounce_s=0.0), Scripted(failures=12))
    for _ in range(14):
        ruled.come()
        ruled.work()
    told = [each for each in ruled.events if each.kind.startswith("action")]
    assert [each.sentence for each in told] == [
        "Rule bell failed: nobody answers",
        "Rule bell works again, after 12 failures",
    ]
    assert told[1].fields == {"rule": "bell", "failures": 12}
    assert [each.message for each in caplog.records if each.levelno >= logging.WARNING] == [
        "Rule bell failed: nobody answers"
    ]
    (state,) = ruled.rules.states()
    assert (state.tally.done, state.tally.failed, state.tally.problem) == (2, 12, None)


def test_a_rule_about_failures_does_not_feed_itself() -> None:
    ruled = Ruled(Rule("bell", ("action_failed",), debounce_s=0.0), Scripted(failures=100))
    ruled.log.tell("action_failed", "Rule other failed")
    for _ in range(10):
        ruled.work()
    assert ruled.kinds == ["action_failed", "action_failed"]


def test_a_defect_of_an_action_ends_nothing(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(Scripted):
        def run(self, firing: Firing, wait: Wait) -> None:
            raise ZeroDivisionError("oops")

    ruled = Ruled(Rule("bell", ("face_came",)), Broken())
    ruled.come()
    ruled.work()
    assert ruled.events[-1].fields["problem"] == "ZeroDivisionError: oops"
    assert "Traceback" in caplog.text


def test_what_finds_the_queue_full_is_dropped_counted_and_said_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    action = Scripted()
    ruled = Ruled(Rule("bell", ("face_came",), debounce_s=0.0), action)
    for track in range(MOST_WAITING + 30):
        ruled.come(track)
    ruled.rules.look()
    assert ruled.rules.states()[0].tally.dropped == 30
    assert [each.message for each in caplog.records] == [
        f"rule bell cannot keep up: {MOST_WAITING} firings wait, so more are dropped"
    ]
    thread = threading.Thread(target=ruled.runner.work, args=(Waits(),))
    thread.start()
    ruled.runner.end(0.0)
    thread.join(5)
    assert not thread.is_alive()


def test_the_end_breaks_off_what_hangs_and_says_what_was_dropped(
    caplog: pytest.LogCaptureFixture,
) -> None:
    action = Scripted()
    action.blocks = True
    runner = Runner("bell", action, Told().log)
    for number in range(4):
        runner.offer(Firing("bell", event(number=number)))
    thread = threading.Thread(target=runner.work, args=(Waits(),))
    thread.start()
    while not action.fired:
        thread.join(0.001)
    runner.finish()
    runner.end(0.0)
    thread.join(5)
    assert not thread.is_alive()
    assert "rule bell: 3 firings were dropped: it ends" in caplog.text


def test_watching_ends_with_the_log_and_looks_at_all_that_was_told() -> None:
    action = Scripted()
    ruled = Ruled(Rule("rule", ("face_came",), debounce_s=0.0), action)
    thread = threading.Thread(target=ruled.rules.watch, args=(Waits(),))
    thread.start()
    for track in range(5):
        ruled.come(track)
    ruled.log.close()
    thread.join(5)
    assert not thread.is_alive()
    ruled.runner.finish()
    ruled.runner.work(Waits())
    assert len(action.fired) == 5
