"""Looks, added up."""

from __future__ import annotations

import numpy as np

from edge_runtime.people.evidence import LEAST_SIGHTS, MOST_SIGHTS, Evidence
from tests.people.faces import somebody, terms, view, views

ANN, BOB, STRANGER = somebody(1), somebody(2), somebody(77)
PEOPLE = {"Ann": views(ANN, 3), "Bob": views(BOB, 3)}


def after(person: np.ndarray, count: int, cosine: float = 0.8) -> Evidence:
    evidence = Evidence()
    for seed in range(count):
        evidence.add(view(person, seed, cosine), terms(PEOPLE))
    return evidence


def test_before_the_first_look_nothing_is_said() -> None:
    assert Evidence().says(terms(PEOPLE)).verdict == "unsure"


def test_one_look_names_nobody_and_the_second_does() -> None:
    assert after(ANN, LEAST_SIGHTS - 1).says(terms(PEOPLE)).verdict == "unsure"
    said = after(ANN, LEAST_SIGHTS).says(terms(PEOPLE))
    assert (said.verdict, said.name, said.sights) == ("known", "Ann", LEAST_SIGHTS)
    assert said.score is not None
    assert said.score > 0.6


def test_a_stranger_is_soon_nobody() -> None:
    said = after(STRANGER, 4).says(terms(PEOPLE))
    assert (said.verdict, said.name) == ("unknown", None)


def test_where_nobody_is_enrolled_everybody_is_unknown() -> None:
    evidence = Evidence()
    evidence.add(ANN, terms({}))
    assert evidence.says(terms({})).verdict == "unknown"


def test_somebody_between_is_looked_at_until_it_is_enough_and_gets_no_name() -> None:
    evidence = Evidence()
    rules = terms(PEOPLE)
    for seed in range(MOST_SIGHTS):
        assert evidence.says(rules).verdict == "unsure"
        # At a cosine of about 0.35 the evidence hardly moves.
        evidence.add(view(PEOPLE["Ann"][0], seed, 0.36), rules)
    assert evidence.says(rules).verdict == "unknown"


def test_the_bar_holds_whatever_the_evidence_adds_up_to() -> None:
    """Twelve looks at a sister, each a little likelier Ann, are not Ann."""
    rules = terms(PEOPLE, false_accepts=1e-5)  # six templates: the bar is the strictest, 0.6
    evidence = Evidence()
    for seed in range(MOST_SIGHTS):
        evidence.add(view(PEOPLE["Ann"][0], seed, 0.5), rules)
    said = evidence.says(rules)
    assert said.evidence > rules.accept
    assert said.verdict == "unknown"


def test_strangers_get_a_name_no_oftener_than_was_asked_for() -> None:
    rng = np.random.default_rng(5)
    rules = terms(PEOPLE, false_accepts=0.01)
    named = 0
    for _ in range(300):
        stranger = somebody(int(rng.integers(10**6, 10**9)))
        evidence = Evidence()
        while evidence.says(rules).verdict == "unsure":
            evidence.add(view(stranger, int(rng.integers(10**9)), 0.9), rules)
        named += evidence.says(rules).verdict == "known"
    assert named <= 3
