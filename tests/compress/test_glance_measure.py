"""The measure of a detector's recipe judges what the maps say."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from torch import Tensor  # noqa: E402

from edge_runtime.compress.glance_measure import average_precision  # noqa: E402
from edge_runtime.compress.glance_net import GRIDS  # noqa: E402
from edge_runtime.compress.glance_samples import Truth  # noqa: E402
from edge_runtime.compress.measure import name_of  # noqa: E402

PICTURES = 40


def maps(right: int) -> list[Tensor]:
    """Of so many pictures the face of 16 x 16 px at (84, 60) is found, of the others nothing."""
    logits = [torch.full((PICTURES, 1, *grid), -9.0) for grid in GRIDS]
    boxes = [torch.zeros(PICTURES, 4, *grid) for grid in GRIDS]
    logits[0][:right, 0, 7, 10] = 3.0  # the cell's centre is (84, 60)
    boxes[0][:, 2:] = torch.log(torch.tensor(2.0))
    return [*boxes, *logits]


def truth(*, ignore: int = 0) -> Tensor:
    boxes = torch.zeros(PICTURES, 20, 4), torch.zeros(PICTURES, 24, 4)
    boxes[0][ignore:, 0] = torch.tensor([84.0, 60.0, 16.0, 16.0])
    boxes[1][:ignore, 0] = torch.tensor([84.0, 60.0, 16.0, 16.0])
    return Truth(torch.full((PICTURES,), 160.0), *boxes).as_labels()


def test_the_area_is_the_share_found_when_nothing_else_is() -> None:
    figure = average_precision(maps(30), truth()).as_json()
    assert figure["value"] == 0.75
    assert figure["total"] == PICTURES
    assert 0.55 < figure["low95"] < 0.75 < figure["high95"] < 0.92
    assert name_of(average_precision) == "average precision"


def test_a_detection_on_an_ignored_box_counts_neither_way() -> None:
    figure = average_precision(maps(PICTURES), truth(ignore=10)).as_json()
    assert (figure["value"], figure["total"]) == (1.0, 30)
