"""A label changes when another one clearly leads for long enough, and never by flickering."""

from __future__ import annotations

from edge_runtime.events.steady_label import SteadyLabel

SMILE = {"neutral": 0.1, "smile": 0.9}
NEUTRAL = {"neutral": 0.9, "smile": 0.1}


def test_the_first_label_must_hold_too() -> None:
    steady = SteadyLabel()
    assert not steady.turns(SMILE, 0.0, 1.0)
    assert not steady.turns(SMILE, 0.9, 1.0)
    assert steady.turns(SMILE, 1.0, 1.0)
    assert (steady.label, steady.score) == ("smile", 0.9)
    assert not steady.turns(SMILE, 5.0, 1.0)


def test_a_flicker_turns_nothing() -> None:
    steady = SteadyLabel()
    steady.turns(NEUTRAL, 0.0, 1.0)
    assert steady.turns(NEUTRAL, 1.0, 1.0)
    turns = [steady.turns((SMILE, NEUTRAL)[i % 2], 1 + i * 0.5, 1.0) for i in range(1, 40)]
    assert not any(turns)
    assert steady.label == "neutral"


def test_two_that_are_close_leave_the_label_as_it_was() -> None:
    steady = SteadyLabel()
    steady.turns(NEUTRAL, 0.0, 0.0)
    for now in range(20):
        assert not steady.turns({"neutral": 0.45, "smile": 0.55}, now, 1.0)
    assert steady.label == "neutral"


def test_labels_of_another_model_take_over_only_when_one_leads() -> None:
    steady = SteadyLabel()
    assert steady.turns(NEUTRAL, 0.0, 0.0)
    for now in range(5):
        assert not steady.turns({"a": 0.5, "b": 0.5}, now, 1.0)
    assert not steady.turns({"a": 0.9, "b": 0.1}, 10.0, 1.0)
    assert steady.turns({"a": 0.9, "b": 0.1}, 11.0, 1.0)
    assert steady.label == "a"


def test_one_label_alone_and_none_at_all() -> None:
    steady = SteadyLabel()
    assert not steady.turns({}, 0.0, 0.0)
    assert steady.score is None
    assert steady.turns({"face": 0.8}, 1.0, 0.0)
