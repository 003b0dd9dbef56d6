"""The detector's loss prefers right answers."""

from __future__ import annotations

from typing import Any

import pytest

torch = pytest.importorskip("torch")

from edge_runtime.compress.detection_loss import (  # noqa: E402
    assign,
    complete_iou,
    detection_loss,
    iou,
)
from edge_runtime.compress.glance_net import cells, decode  # noqa: E402

FACE = (42.0, 36.0, 16.0, 20.0)
PLACES = cells()
NOBODY = torch.zeros(1, 2, 4)


def padded(*faces: tuple[float, ...]) -> Any:
    return torch.tensor([[*faces, *[(0.0, 0.0, 0.0, 0.0)] * (3 - len(faces))]])


def answer(right: bool) -> tuple[Any, Any]:
    """Logits and boxes: all cells answer with the face's box, the near ones are sure of it."""
    boxes = torch.tensor(FACE).repeat(1, len(PLACES[0]), 1)
    near = (PLACES[0] - torch.tensor(FACE[:2])).abs().amax(1) < 9
    return torch.where(near == right, 4.0, -6.0)[None], boxes


def test_iou_of_centre_size_boxes() -> None:
    one, two = torch.tensor([[5.0, 5, 10, 10]]), torch.tensor([[10.0, 5, 10, 10]])
    assert float(iou(one, two)) == pytest.approx(1 / 3, abs=1e-4)
    assert float(complete_iou(one, one)) == pytest.approx(1.0, abs=1e-4)
    assert float(complete_iou(one, two)) < 1 / 3


def test_right_answers_cost_less() -> None:
    right, wrong = (
        float(detection_loss(*answer(r), PLACES, padded(FACE), NOBODY)) for r in (True, False)
    )
    assert right * 5 < wrong


def test_every_face_gets_cells_near_it() -> None:
    faces = padded(FACE, (120.0, 80.0, 60.0, 70.0), (10.0, 100.0, 6.0, 7.0))
    scores = torch.full((1, len(PLACES[0])), 0.02)
    boxes = decode(torch.zeros(1, len(PLACES[0]), 4), *PLACES)
    found = assign(scores, boxes, PLACES, faces, NOBODY)
    chosen = found.target[0] > 0
    assert set(found.face[0][chosen].tolist()) == {0, 1, 2}
    apart = (PLACES[0][chosen] - faces[0, found.face[0][chosen], :2]).abs().amax(1)
    assert bool((apart < 1.3 * PLACES[1][chosen]).all())


def test_ignored_places_cost_nothing() -> None:
    logits, boxes = answer(right=True)
    ignore = torch.tensor([[(42.0, 36.0, 40.0, 40.0), (0.0, 0.0, 0.0, 0.0)]])
    assert float(detection_loss(logits, boxes, PLACES, padded(), ignore)) < 0.01
    assert float(detection_loss(logits, boxes, PLACES, padded(), NOBODY)) > 1.0
