"""YuNet: written by the published formula, read back in any order and form of the outputs."""

import numpy as np
import pytest

from edge_runtime.attention.heads.head import Size
from edge_runtime.attention.heads.yunet import STRIDES, YuNetHead
from edge_runtime.engine.tensor import Array
from edge_runtime.errors import ModelRejected
from edge_runtime.types import Box
from tests.attention.heads.written import FORMATS, Outputs, found

SIZE = (128, 96)
FACES = {8: (Box(20, 30, 12, 16), 0.9, 0.8), 32: (Box(50, 10, 60, 70), 0.8, 0.6)}
"""By stride: the face, its class and object score."""


def written(size: Size, faces: dict[int, tuple[Box, float, float]]) -> dict[str, Array]:
    """The reals of a model's twelve outputs, by their published names."""
    reals: dict[str, Array] = {}
    for stride in STRIDES:
        rows, columns = size[1] // stride, size[0] // stride
        cells = {"cls": 1, "obj": 1, "bbox": 4, "kps": 10}
        one = {each: np.zeros((1, rows * columns, numbers)) for each, numbers in cells.items()}
        if stride in faces:
            box, sure, there = faces[stride]
            x, y = box.centre
            column, row = int(x / stride), int(y / stride)
            at = row * columns + column
            one["cls"][0, at], one["obj"][0, at] = sure, there
            shift = x / stride - column, y / stride - row
            one["bbox"][0, at] = [*shift, np.log(box.w / stride), np.log(box.h / stride)]
        reals |= {f"{each}_{stride}": numbers for each, numbers in one.items()}
    return reals


def as_grid(real: Array, name: str) -> Array:
    stride = int(name.partition("_")[2])
    return real.reshape(1, SIZE[1] // stride, SIZE[0] // stride, -1)


def flat(real: Array, name: str) -> Array:
    return real[..., 0] if name.startswith(("cls", "obj")) else real


@pytest.mark.parametrize("dtype", FORMATS)
@pytest.mark.parametrize("form", [lambda real, _: real, as_grid, flat], ids=["n", "grid", "flat"])
@pytest.mark.parametrize("seed", [0, 1])
def test_faces_come_back(dtype: str, form: object, seed: int) -> None:
    reals = [form(real, name) for name, real in written(SIZE, FACES).items()]  # type: ignore[operator]
    order = np.random.default_rng(seed).permutation(len(reals))
    outputs = Outputs([reals[index] for index in order], dtype)
    decoded = found(outputs.decoded_by(YuNetHead(outputs.tensors, SIZE, threshold=0.5)))
    for (box, score), (true, sure, there) in zip(decoded, FACES.values(), strict=True):
        assert box == pytest.approx(true, abs=1e-4 if dtype == "float32" else 0.8)
        assert score == pytest.approx(np.sqrt(sure * there), abs=0.01)


@pytest.mark.parametrize("dtype", FORMATS)
def test_both_must_be_sure_together(dtype: str) -> None:
    reals = written(SIZE, {16: (Box(40, 40, 30, 30), 1.0, 0.36)})
    outputs = Outputs(list(reals.values()), dtype)
    for threshold, seen in ((0.58, 1), (0.62, 0), (1.0, 0)):
        head = YuNetHead(outputs.tensors, SIZE, threshold=threshold)
        assert len(outputs.decoded_by(head).scores) == seen


def test_quantized_logits_are_refused_beforehand() -> None:
    reals = written(SIZE, {16: (Box(40, 40, 30, 30), 5.0, 3.0)})
    with pytest.raises(ModelRejected, match="scores for stride 16 of the detector reach 5,"):
        YuNetHead(Outputs(list(reals.values()), "int8").tensors, SIZE, threshold=0.5)


def test_float_logits_are_refused_when_seen() -> None:
    outputs = Outputs(
        list(written(SIZE, {16: (Box(40, 40, 30, 30), 5.0, 3.0)}).values()), "float32"
    )
    with pytest.raises(ModelRejected, match="with its last sigmoid"):
        outputs.decoded_by(YuNetHead(outputs.tensors, SIZE, threshold=0.5))


def test_a_missing_output_is_named() -> None:
    reals = written(SIZE, FACES)
    del reals["obj_8"]
    with pytest.raises(ModelRejected, match=r"no other output of shape \(1, 192, 1\) or \(1, 12,"):
        YuNetHead(Outputs(list(reals.values()), "float32").tensors, SIZE, threshold=0.5)
