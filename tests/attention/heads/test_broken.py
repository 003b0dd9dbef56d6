"""Whatever a float model says, a head answers with boxes or refuses it in a sentence."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from edge_runtime.attention.heads.blazeface import BlazeFaceHead
from edge_runtime.attention.heads.glance import GlanceHead
from edge_runtime.attention.heads.head import Head
from edge_runtime.attention.heads.ssd import SsdHead
from edge_runtime.attention.heads.yolo import YoloV5Head, YoloV8Head
from edge_runtime.attention.heads.yunet import YuNetHead
from edge_runtime.engine.tensor import Tensor
from edge_runtime.errors import ModelRejected
from tests.attention.heads.written import tensor_for

SIZE = (128, 128)
NUMBERS = [np.nan, np.inf, -np.inf, 3e38, -3e38, 0.0, 0.7, 1.0, -2.0]

Tensors = Sequence[Tensor]
HEADS: dict[str, tuple[Callable[[Tensors], Head], list[tuple[int, ...]]]] = {
    "glance": (
        lambda outputs: GlanceHead(outputs, SIZE, threshold=0.5, strides=(16,)),
        [(1, 8, 8, 1), (1, 8, 8, 4)],
    ),
    "blazeface": (
        lambda outputs: BlazeFaceHead(outputs, SIZE, threshold=0.5),
        [(1, 896, 1), (1, 896, 16)],
    ),
    "yunet": (
        lambda outputs: YuNetHead(outputs, SIZE, threshold=0.5),
        [(1, cells, k) for cells in (256, 64, 16) for k in (1, 1, 4)],
    ),
    "ssd": (
        lambda outputs: SsdHead(outputs, SIZE, threshold=0.5, counted={0, 1}),
        [(1, 10, 4), (1, 10), (1, 10), (1,)],
    ),
    "yolov5": (
        lambda outputs: YoloV5Head(outputs, SIZE, threshold=0.5, normalized=True),
        [(1, 99, 6)],
    ),
    "yolov8": (
        lambda outputs: YoloV8Head(outputs, SIZE, threshold=0.5, normalized=False),
        [(1, 5, 99)],
    ),
}


@pytest.mark.parametrize("name", HEADS)
@pytest.mark.parametrize("share", [0.01, 0.3])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_broken_numbers(name: str, share: float) -> None:
    make, shapes = HEADS[name]
    outputs = [tensor_for(np.zeros(shape), "float32") for shape in shapes]
    head = make(outputs)
    for seed in range(40):
        random = np.random.default_rng(seed)
        stored = [random.random(shape, np.float32) for shape in shapes]
        for numbers in stored:
            broken = random.random(numbers.shape) < share
            numbers[broken] = random.choice(NUMBERS, broken.sum())
        try:
            boxes, scores = head.decode(stored.__getitem__)
        except ModelRejected:
            continue
        assert boxes.shape == (scores.size, 4)
        assert (scores <= 1.1).all()
