"""Pictures with known answers, on which a model's accuracy is measured."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from edge_runtime.errors import TrialImpossible


class Examples(NamedTuple):
    """``right[i]`` is the place of the right label of ``pictures[i]``."""

    pictures: npt.NDArray[np.uint8]
    """(n, height, width, channels)."""
    right: npt.NDArray[Any]
    """(n,), whole numbers."""
    least_accuracy: float
    """Share that must come out right, 0 to 1."""


def read_examples(
    file: Path, shape: tuple[int, int, int, int], least_accuracy: float = 0.0
) -> Examples:
    """The examples in an .npz with ``pictures``, uint8, and ``answers``, for an input of ``shape``.

    Raises TrialImpossible: broken examples say nothing about a model.
    """
    try:
        with np.load(file, allow_pickle=False) as arrays:
            pictures, right = arrays["pictures"], arrays["answers"]
    except (OSError, KeyError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise TrialImpossible(
            f"the examples {file} cannot be read ({error}): "
            "expected an .npz with pictures and answers"
        ) from None
    if shape[3] == 1 and pictures.ndim == 3:
        pictures = pictures[..., np.newaxis]
    expected = (len(pictures), *shape[1:])
    if (pictures.dtype, pictures.shape) != (np.uint8, expected) or right.shape != expected[:1]:
        raise TrialImpossible(
            f"the examples {file} hold {pictures.dtype} pictures {pictures.shape} and answers "
            f"{right.shape}, expected uint8 {expected} and {expected[:1]}"
        )
    if not len(pictures):
        raise TrialImpossible(f"the examples {file} hold no picture")
    return Examples(pictures, right, least_accuracy)
