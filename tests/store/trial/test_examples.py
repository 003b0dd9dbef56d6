from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_runtime.errors import TrialImpossible
from edge_runtime.store.trial.examples import read_examples

SHAPE = (1, 8, 8, 1)


def saved(folder: Path, **arrays: Any) -> Path:
    np.savez(folder / "examples.npz", **arrays)
    return folder / "examples.npz"


def test_luma_pictures_need_no_channel(tmp_path: Path) -> None:
    file = saved(tmp_path, pictures=np.zeros((3, 8, 8), np.uint8), answers=np.array([0, 1, 0]))
    found = read_examples(file, SHAPE, 0.5)
    assert found.pictures.shape == (3, 8, 8, 1)
    assert found.right.tolist() == [0, 1, 0]
    assert found.least_accuracy == 0.5


@pytest.mark.parametrize(
    ("pictures", "answers", "said"),
    [
        (np.zeros((3, 9, 8), np.uint8), np.zeros(3, int), r"\(3, 9, 8, 1\)"),
        (np.zeros((3, 8, 8), np.float32), np.zeros(3, int), "float32 pictures"),
        (np.zeros((3, 8, 8), np.uint8), np.zeros(2, int), r"answers \(2,\)"),
        (np.zeros((0, 8, 8), np.uint8), np.zeros(0, int), "hold no picture"),
    ],
)
def test_examples_that_do_not_fit_say_so(
    tmp_path: Path, pictures: np.ndarray, answers: np.ndarray, said: str
) -> None:
    with pytest.raises(TrialImpossible, match=said):
        read_examples(saved(tmp_path, pictures=pictures, answers=answers), SHAPE)


def test_a_file_that_is_no_examples_says_so(tmp_path: Path) -> None:
    with pytest.raises(TrialImpossible, match="with pictures and answers"):
        read_examples(saved(tmp_path, faces=np.zeros(1)), SHAPE)
    with pytest.raises(TrialImpossible, match="cannot be read"):
        read_examples(tmp_path / "missing.npz", SHAPE)
    (tmp_path / "broken.npz").write_bytes(b"PK\x03\x04 broken")
    with pytest.raises(TrialImpossible, match="cannot be read"):
        read_examples(tmp_path / "broken.npz", SHAPE)
