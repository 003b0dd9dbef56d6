"""Which detector head a model has, told by its outputs' shapes and its operators."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from edge_runtime.engine.graph import Graph, Operator
from edge_runtime.engine.tensor import Tensor
from edge_runtime.store.head import SSD_OUTPUTS, Coordinates, HeadSpec

Size = tuple[int, int]
Shapes = Sequence[tuple[int, ...]]

POST_PROCESS: Final = "CUSTOM:TFLite_Detection_PostProcess"

BLAZEFACE_ANCHORS: Final[dict[Size, int]] = {(128, 128): 896, (256, 256): 896, (192, 192): 2304}
"""Of the short range, the older back camera's and the full range model, by their input."""

YUNET_STRIDES: Final = (8, 16, 32)
YOLO_STRIDES: Final = ((8, 16, 32), (8, 16, 32, 64), (16, 32))
"""The usual pyramid, the one with an extra level, and the tiny models'."""
YOLOV5_ANCHORS: Final = 3
"""Boxes for each cell; YOLOv8 and later have one."""

LARGEST_STRIDE: Final = 256
SHARES_END: Final = 2.0
"""A quantized output that reaches no further than this cannot hold pixels."""


@dataclass(frozen=True, slots=True)
class ToldHead:
    """A head that fits, and what else its outputs tell."""

    spec: HeadSpec
    labelled: int | None = None
    """How many things it tells apart; None for heads that find faces only."""
    unknown: tuple[str, ...] = ()


def told_head(graph: Graph, size: Size) -> ToldHead | None:
    """The head of a detector with an input of ``size``; None when it looks like no detector."""
    outputs = graph.interface()[1]
    shapes = [tensor.shape for tensor in outputs]
    return _ssd(graph) or _yolo(outputs, size) or _faces(shapes, size)


def _faces(shapes: Shapes, size: Size) -> ToldHead | None:
    looks: tuple[Callable[[Shapes, Size], HeadSpec | None], ...] = (_blazeface, _yunet, _glance)
    for look in looks:
        spec = look(shapes, size)
        if spec is not None:
            return ToldHead(spec)
    return None


def _ssd(graph: Graph) -> ToldHead | None:
    for operator in graph.operators:
        if operator.name == POST_PROCESS and sorted(operator.outputs) == sorted(graph.outputs):
            # The operator writes boxes, classes, scores, count; the file lists them in any order.
            order = tuple(SSD_OUTPUTS[operator.outputs.index(each)] for each in graph.outputs)
            return ToldHead(HeadSpec("ssd-postprocess", outputs=order), _classes(graph, operator))
    return None


def _classes(graph: Graph, post_process: Operator) -> int:
    """Of its inputs (boxes, class scores, anchors); the first class is the background."""
    scores = graph.tensors[post_process.inputs[1]]
    return max(scores.shape[-1:], default=2) - 1


def _blazeface(shapes: Shapes, size: Size) -> HeadSpec | None:
    anchors = BLAZEFACE_ANCHORS.get(size)
    if sorted(shapes) == [(1, anchors, 1), (1, anchors, 16)]:
        return HeadSpec("blazeface")
    return None


def _yunet(shapes: Shapes, size: Size) -> HeadSpec | None:
    """Per stride two outputs of one number a cell and one of four; landmarks may be there."""
    left = Counter(shapes)
    for stride in YUNET_STRIDES:
        rows, columns = _grid(size, stride)
        cells = rows * columns
        for numbers, needed in ((1, 2), (4, 1)):
            forms = [(1, cells, numbers), (1, rows, columns, numbers), (1, cells)]
            found = [form for form in forms[: 3 if numbers == 1 else 2] if left[form] >= needed]
            if not found:
                return None
            left -= Counter({found[0]: needed})
    landmarks = all(shape[-1:] == (10,) for shape in left)
    return HeadSpec("yunet") if landmarks else None


def _glance(shapes: Shapes, size: Size) -> HeadSpec | None:
    """Per stride one grid of one number a cell and one of four."""
    grids = [shape for shape in shapes if len(shape) == 4 and shape[3] == 1]
    strides = tuple(_stride(shape, size) for shape in grids)
    boxes = [(*shape[:3], 4) for shape in grids]
    if not grids or None in strides or Counter(shapes) != Counter(grids + boxes):
        return None
    return HeadSpec("centre-log-size", strides=tuple(each for each in strides if each))


def _stride(grid: tuple[int, ...], size: Size) -> int | None:
    """The power of two that leaves such a grid of the input."""
    for power in range(LARGEST_STRIDE.bit_length()):
        if _grid(size, 1 << power) == grid[1:3]:
            return 1 << power
    return None


def _yolo(outputs: Sequence[Tensor], size: Size) -> ToldHead | None:
    if len(outputs) != 1 or len(outputs[0].shape) != 3:
        return None
    _, first, last = outputs[0].shape
    cells = {sum(math.prod(_grid(size, stride)) for stride in each) for each in YOLO_STRIDES}
    coordinates, unknown = _coordinates(outputs[0])
    if first in {YOLOV5_ANCHORS * each for each in cells} and last > 5:
        return ToldHead(HeadSpec("yolov5", coordinates=coordinates), last - 5, unknown)
    if last in cells and first > 4:
        return ToldHead(HeadSpec("yolov8", coordinates=coordinates), first - 4, unknown)
    return None


def _coordinates(boxes: Tensor) -> tuple[Coordinates, tuple[str, ...]]:
    """A quantized tensor's range tells shares from pixels; a float one's does not."""
    if boxes.limits is not None:
        return ("normalized" if boxes.limits[1] < SHARES_END else "pixels"), ()
    return "normalized", (
        f"head.coordinates: the boxes are {boxes.dtype.name}, which does not tell whether they are "
        "'normalized' (shares of the input, as Ultralytics' own export writes) or 'pixels'",
    )


def _grid(size: Size, stride: int) -> tuple[int, int]:
    """Rows and columns."""
    return math.ceil(size[1] / stride), math.ceil(size[0] / stride)
