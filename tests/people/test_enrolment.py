"""Which views are kept, and what is said to who stands there."""

from __future__ import annotations

import numpy as np

from edge_runtime.people.enrolment import MOST_CANDIDATES, WANTED, Enrolment
from edge_runtime.people.gallery import Vectors
from edge_runtime.people.sight import Sight
from edge_runtime.people.template import MOST_TEMPLATES, spread, vectors_of
from tests.people.faces import GOOD, MODEL, Meaning, good, somebody, view, views

ANN = somebody(1)


def enrolment() -> Enrolment:
    return Enrolment(Meaning(), MODEL)


def test_views_from_both_sides_make_it_complete() -> None:
    enrolling = enrolment()
    assert enrolling.see(good(view(ANN, 0))).advice == "Turn the head a little to the right."
    enrolling.see(good(view(ANN, 1), yaw=-0.2))
    assert enrolling.see(good(view(ANN, 2))).advice == "Turn the head a little to the left."
    enrolling.see(good(view(ANN, 3), yaw=0.2))
    assert not enrolling.complete
    last = enrolling.see(good(view(ANN, 4)))
    assert (last.outcome, last.views, last.advice) == ("taken", WANTED, "That is enough.")
    assert enrolling.complete
    assert {each.model for each in enrolling.templates()} == {MODEL}


def test_a_hindered_sight_is_not_kept_and_the_remedy_is_said() -> None:
    progress = enrolment().see(Sight(GOOD, hindrance="too small"))
    assert (progress.outcome, progress.views) == ("hindered", 0)
    assert progress.advice == "The face is too small: come closer."


def test_somebody_else_is_not_mixed_in() -> None:
    enrolling = enrolment()
    enrolling.see(good(ANN))
    assert enrolling.see(good(somebody(2))).outcome == "somebody else"
    assert enrolling.views == 1


def test_the_same_view_again_shows_nothing_new() -> None:
    enrolling = enrolment()
    enrolling.see(good(ANN))
    assert enrolling.see(good(view(ANN, 3, cosine=0.99))).outcome == "alike"


def test_of_many_views_the_most_different_are_kept() -> None:
    enrolling = enrolment()
    for seed in range(MOST_CANDIDATES + 10):
        enrolling.see(good(view(ANN, seed)))
    assert enrolling.views == MOST_CANDIDATES
    kept = vectors_of(list(enrolling.templates()))
    assert len(kept) == MOST_TEMPLATES
    first = np.stack([view(ANN, seed) for seed in range(MOST_TEMPLATES)])
    assert nearest_two(kept) < nearest_two(first)


def nearest_two(vectors: Vectors) -> float:
    return float((vectors @ vectors.T - 2 * np.eye(len(vectors))).max())


def test_a_spread_begins_in_the_middle_and_takes_nothing_twice() -> None:
    vectors = views(ANN, 20)
    taken = spread(vectors, 30)
    assert sorted(taken) == list(range(20))
    assert taken[0] == int((vectors @ vectors.T).sum(axis=1).argmax())


def test_who_was_not_seen_has_no_templates() -> None:
    assert enrolment().templates() == ()
