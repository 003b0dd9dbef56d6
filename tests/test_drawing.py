"""Marks stay inside the picture and read on any background."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_runtime.drawing import caption, draw_faces, fade
from edge_runtime.types import Box, Face

LABELS = {"smile": {"neutral": 0.07, "smile": 0.93}, "age": {"young": 0.5, "old": 0.4}}


def test_captions_name_the_best_label_of_each_classifier() -> None:
    assert caption(Face(3, Box(0, 0, 9, 9), 0.88, LABELS)) == "#3 smile 93%, young 50%"
    assert caption(Face(3, Box(0, 0, 9, 9), 0.88, {})) == "#3 face 88%"


@pytest.mark.parametrize("background", [0, 128, 255])
def test_boxes_and_words_stand_out_on_any_background(background: int) -> None:
    picture = np.full((240, 320, 3), background, np.uint8)
    draw_faces(picture, [Face(1, Box(100, 80, 80, 100), 0.9, LABELS)])
    changed = picture[np.any(picture != background, axis=2)].astype(int)
    assert len(changed) > 500
    assert changed.min() < 60
    assert changed.max() > 190


def test_boxes_are_scaled_to_the_picture() -> None:
    picture = np.zeros((240, 320, 3), np.uint8)
    draw_faces(picture, [Face(1, Box(400, 300, 160, 120), 0.9, {})], scale=0.5)
    rows, columns = np.nonzero(picture.any(axis=2))
    assert abs(int(rows.max()) - 210) <= 3
    assert abs(int(columns.min()) - 200) <= 3


def test_different_words_look_different() -> None:
    pictures = []
    for label in ("smile", "neutral", "Lächeln"):
        picture = np.zeros((240, 320, 3), np.uint8)
        draw_faces(picture, [Face(1, Box(100, 80, 80, 100), 0.9, {"model": {label: 1.0}})])
        pictures.append(picture)
    assert not np.array_equal(pictures[0], pictures[1])
    assert pictures[2].max() > 190  # a letter that we lack is a question mark


def test_drawing_words_leaves_the_text_engine_of_opencv_asleep(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its fonts are 9 MB that would stay."""

    def refuse(*_: object) -> None:
        raise AssertionError("OpenCV unpacks its fonts")

    monkeypatch.setattr("cv2.putText", refuse)
    monkeypatch.setattr("cv2.getTextSize", refuse)
    picture = np.zeros((240, 320, 3), np.uint8)
    draw_faces(picture, [Face(1, Box(100, 80, 80, 100), 0.9, LABELS)])
    fade(picture, "No new picture for 12 s")


side = st.floats(-2000, 2000)
length = st.floats(0, 2000)


@given(
    box=st.builds(Box, side, side, length, length),
    size=st.tuples(st.integers(1, 200), st.integers(1, 200)),
)
def test_any_box_in_any_picture_can_be_drawn(box: Box, size: tuple[int, int]) -> None:
    picture = np.zeros((*size, 3), np.uint8)
    draw_faces(picture, [Face(7, box, 0.5, LABELS)])


def test_faded_pictures_are_grey_and_say_something() -> None:
    picture = np.zeros((240, 320, 3), np.uint8)
    picture[:, :, 2] = 200
    fade(picture, "No new picture for 12 s")
    assert np.ptp(picture.astype(int), axis=2).max() == 0
    assert picture.max() > 200
    edge = picture[0]
    assert int(edge.max()) < 120
