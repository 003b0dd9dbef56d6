"""Everybody at once."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_runtime.people.gallery import Gallery, bar
from tests.people.faces import Meaning, somebody, view, views

POINTS = Meaning().operating_points


def test_each_person_is_as_near_as_their_nearest_template() -> None:
    ann, bob = views(somebody(1), 3), views(somebody(2), 2)
    probe = view(somebody(1), 5)
    got = Gallery({"Ann": ann, "Bob": bob}).cosines(probe)
    assert got == pytest.approx([max(ann @ probe), max(bob @ probe)])


def test_a_thousand_people_are_held_apart() -> None:
    people = {f"p{i}": views(somebody(i), 2) for i in range(1000)}
    gallery = Gallery(people)
    for i in (0, 500, 999):
        assert gallery.names[int(gallery.cosines(view(somebody(i), 7)).argmax())] == f"p{i}"
    assert gallery.templates == 2000


def test_nobody_is_near_nobody() -> None:
    assert len(Gallery({}).cosines(somebody(1))) == 0
    assert Gallery({"Ann": np.empty((0, 0), np.float32)}).names == ()


def test_at_a_measured_share_the_bar_is_the_measured_threshold() -> None:
    for point in POINTS:
        assert bar(POINTS, 1, point.false_accepts).threshold == pytest.approx(point.threshold)


def test_ten_times_the_templates_are_ten_times_the_chances() -> None:
    assert bar(POINTS, 10, 1e-2) == pytest.approx((0.40, 1e-2))


def test_what_was_not_measured_is_not_promised() -> None:
    strict = bar(POINTS, 1000, 1e-3)
    assert strict.threshold == POINTS[-1].threshold
    assert strict.false_accepts == pytest.approx(1e-2)
    assert bar(POINTS, 1, 0.5).threshold == POINTS[0].threshold


@given(st.integers(1, 8000), st.floats(1e-6, 0.5))
def test_more_people_never_lower_the_bar(templates: int, wanted: float) -> None:
    assert bar(POINTS, templates + 1, wanted).threshold >= bar(POINTS, templates, wanted).threshold
