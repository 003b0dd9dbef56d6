"""The smile data as a recipe sees it."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from edge_runtime.compress.face_crops import Portrait  # noqa: E402
from edge_runtime.compress.photos import Photo, pyramid  # noqa: E402
from edge_runtime.compress.smile_samples import PortraitSamples  # noqa: E402


def portrait(label: int) -> Portrait:
    rng = np.random.default_rng(label)
    picture = rng.integers(0, 256, (112, 112), dtype=np.uint8)
    face = np.array([[56.0, 56.0, 50.0, 60.0]], np.float32)
    return Portrait(Photo(pyramid(picture), face, np.zeros((0, 4), np.float32)), label)


@pytest.fixture
def samples() -> PortraitSamples:
    return PortraitSamples([portrait(0), portrait(0), portrait(0), portrait(1)], [portrait(1)])


def test_both_classes_come_equally_often(samples: PortraitSamples) -> None:
    (inputs, labels), *_ = samples.batches(8, seed=3)
    assert inputs.shape == (8, 1, 48, 48)
    assert labels.tolist() == [0, 1] * 4
    assert 0 <= float(inputs.min()) <= float(inputs.max()) <= 1


def test_an_epoch_is_drawn_from_its_seed(samples: PortraitSamples) -> None:
    first, again, other = (next(samples.batches(4, seed))[0] for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_held_crops_are_exact(samples: PortraitSamples) -> None:
    assert torch.equal(samples.held()[0], samples.held()[0])
    assert samples.held()[1].tolist() == [1]
