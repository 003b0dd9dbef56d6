"""Models told apart by their tensors; what these cannot tell is asked for by its key."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from edge_runtime.attention.detector import head_of
from edge_runtime.engine.graph import Graph, GraphTensor, Operator
from edge_runtime.engine.schema import read_graph
from edge_runtime.errors import ModelRejected
from edge_runtime.store.head import HeadSpec
from edge_runtime.store.manifest import InputSpec, Manifest
from edge_runtime.store.recognition import Recognition, recognize
from tests.engine.tiny_tflite import MODELS

Shape = tuple[int, ...]
Quantization = tuple[float, int]
"""Scale and zero point."""

UINT8_BYTES: Quantization = (1.0, 0)
PROBABILITY: Quantization = (1 / 256, -128)


def tensor(shape: Shape, kind: str = "FLOAT32", how: Quantization | None = None) -> GraphTensor:
    scales, zero_points = ((how[0],), (how[1],)) if how else ((), ())
    return GraphTensor("x", shape, kind, scales, zero_points, 0, 0, 0)


def model(
    picture: GraphTensor | Shape, *outputs: GraphTensor | Shape, steps: Sequence[str] = ("CONV_2D",)
) -> Graph:
    """A graph whose last ``steps`` lead to the first output; a bare shape is float32."""
    tensors = [
        each if isinstance(each, GraphTensor) else tensor(each) for each in (picture, *outputs)
    ]
    hidden = [len(tensors) + number for number in range(len(steps) - 1)]
    tensors += [tensor((1, 1))] * len(hidden)
    way = [0, *hidden, 1]
    operators = tuple(
        Operator(name, (read,), (written,))
        for name, (read, written) in zip(steps, pairwise(way), strict=True)
    )
    return Graph(tuple(tensors), operators, (0,), tuple(range(1, len(outputs) + 1)), 0)


def told(graph: Graph, labels: int | None = None) -> Recognition:
    return recognize(graph, "some.tflite", labels=labels)


def keys(recognition: Recognition) -> list[str]:
    """What is asked for."""
    return [sentence.partition(":")[0] for sentence in recognition.unknown]


def from_file(name: str, labels: int | None = None) -> Recognition:
    path = MODELS / f"{name}.tflite"
    return recognize(read_graph(path.read_bytes(), str(path)), name, labels=labels)


@pytest.mark.parametrize(
    ("name", "labels", "activation", "picture"),
    [
        ("int8_softmax", 2, "softmax", InputSpec(8, 8, "luma")),
        ("int8_logits", 3, "logits", InputSpec(8, 8, "luma")),
        ("int8_sigmoid", 2, "sigmoid", InputSpec(8, 8, "luma", scale=1 / 255)),
        ("uint8_to_float", 3, "logits", InputSpec(8, 8, "luma")),
        ("float_logits", 3, "logits", InputSpec(8, 8, "luma")),
        ("float_rgb_softmax", 2, "softmax", InputSpec(8, 8, "rgb")),
    ],
)
def test_classifiers_in_files(name: str, labels: int, activation: str, picture: InputSpec) -> None:
    found = from_file(name, labels)
    asked = ["input.scale and input.offset"] if name.startswith("float") else []
    assert (found.kind, found.activation, found.input) == ("crop-classifier", activation, picture)
    assert keys(found) == asked
    assert keys(from_file(name)) == ["labels", *asked]


def test_our_own_models(repository: Path) -> None:
    for name, kind, head in (
        ("smile", "crop-classifier", None),
        ("face-glance", "face-detector", HeadSpec("centre-log-size", strides=(8, 16, 32))),
    ):
        path = repository / "models" / name / "model.tflite"
        found = recognize(read_graph(path.read_bytes(), str(path)), name)
        assert (found.kind, found.head) == (kind, head)


@pytest.mark.parametrize(
    ("how", "scaling"),
    [
        (("UINT8", (1.0, 0)), (1.0, 0.0)),
        (("UINT8", None), (1.0, 0.0)),
        (("INT8", (1.0, -128)), (1.0, 0.0)),
        (("UINT8", (1 / 255, 0)), (1 / 255, 0.0)),
        (("INT8", (0.003921568, -128)), (1 / 255, 0.0)),
        (("UINT8", (0.0078125, 128)), (1 / 127.5, -1.0)),
        (("INT8", (0.00784, 0)), (1 / 127.5, -1.0)),
        (("UINT8", (0.02, 100)), (0.02, -2.0)),
    ],
)
def test_a_quantized_input_tells_its_scaling(
    how: tuple[str, Quantization | None], scaling: Quantization
) -> None:
    found = told(model(tensor((1, 96, 96, 3), *how), (1, 2), steps=["SOFTMAX"]), labels=2)
    assert (found.input.scale, found.input.offset) == pytest.approx(scaling)
    assert found.unknown == ()


def test_a_float_input_does_not() -> None:
    found = told(model((1, 224, 224, 3), (1, 2), steps=["FULLY_CONNECTED", "SOFTMAX"]), labels=2)
    assert found.input == InputSpec(224, 224, "rgb")
    assert "the input is float32" in found.unknown[0]


@pytest.mark.parametrize(
    ("output", "steps", "activation"),
    [
        (tensor((1, 4)), ["SOFTMAX"], "softmax"),
        (tensor((1, 4)), ["SOFTMAX", "DEQUANTIZE", "RESHAPE"], "softmax"),
        (tensor((1, 1, 1, 4)), ["LOGISTIC", "SQUEEZE"], "sigmoid"),
        (tensor((1, 4)), ["LOG_SOFTMAX"], "logits"),
        (tensor((1, 4), "INT8", PROBABILITY), ["DIV"], "softmax"),
        (tensor((1, 1), "INT8", PROBABILITY), ["DIV"], "sigmoid"),
        (tensor((1, 4), "INT8", (0.1, 0)), ["DIV"], "logits"),
        (tensor((1, 4), "UINT8", (0.001, 0)), ["DIV"], None),
        (tensor((1, 4)), ["DIV"], None),
    ],
)
def test_the_activation(output: GraphTensor, steps: list[str], activation: str | None) -> None:
    picture = tensor((1, 8, 8, 1), "UINT8", UINT8_BYTES)
    found = told(model(picture, output, steps=steps), labels=max(2, output.shape[-1]))
    assert found.activation == activation
    assert keys(found) == ([] if activation else ["activation"])


def test_a_long_vector_may_be_an_embedding() -> None:
    picture = tensor((1, 112, 112, 3), "UINT8", UINT8_BYTES)
    sure = told(model(picture, (1, 128), steps=["FULLY_CONNECTED", "L2_NORMALIZATION"]))
    assert (sure.kind, sure.unknown) == ("embedding", ())
    perhaps = told(model(picture, (1, 128), steps=["FULLY_CONNECTED"]))
    assert (perhaps.kind, keys(perhaps)) == ("embedding", ["kind"])
    labelled = told(model(picture, (1, 128), steps=["FULLY_CONNECTED"]), labels=128)
    assert (labelled.kind, labelled.activation) == ("crop-classifier", "logits")
    assert labelled.unknown == ()
    likelihoods = told(model(picture, (1, 1000), steps=["SOFTMAX"]))
    assert (likelihoods.kind, keys(likelihoods)) == ("crop-classifier", ["labels"])
    short = told(model(picture, (1, 31), steps=["FULLY_CONNECTED"]))
    assert (short.kind, keys(short)) == ("crop-classifier", ["labels"])


def yunet(size: tuple[int, int], landmarks: bool) -> list[Shape]:
    cells = [(size[0] // stride) * (size[1] // stride) for stride in (8, 16, 32)]
    numbers = (1, 1, 4, 10) if landmarks else (1, 1, 4)
    return [(1, n, each) for each in numbers for n in cells]


DETECTORS: dict[str, tuple[Shape, list[Shape], HeadSpec, InputSpec, list[str]]] = {
    "BlazeFace short range": (
        (1, 128, 128, 3),
        [(1, 896, 16), (1, 896, 1)],
        HeadSpec("blazeface"),
        InputSpec(128, 128, "rgb", 1 / 127.5, -1.0),
        [],
    ),
    "BlazeFace full range": (
        (1, 192, 192, 3),
        [(1, 2304, 1), (1, 2304, 16)],
        HeadSpec("blazeface"),
        InputSpec(192, 192, "rgb", 1 / 127.5, -1.0),
        [],
    ),
    "YuNet": (
        (1, 320, 320, 3),
        yunet((320, 320), True),
        HeadSpec("yunet"),
        InputSpec(320, 320, "bgr"),
        [],
    ),
    "YuNet without landmarks, luma": (
        (1, 96, 160, 1),
        yunet((160, 96), False)[::-1],
        HeadSpec("yunet"),
        InputSpec(160, 96, "luma"),
        [],
    ),
    "our own": (
        (1, 120, 160, 1),
        [(1, 15, 20, 4), (1, 15, 20, 1), (1, 4, 5, 1), (1, 4, 5, 4)],
        HeadSpec("centre-log-size", strides=(8, 32)),
        InputSpec(160, 120, "luma"),
        [],
    ),
    "YOLOv5": (
        (1, 320, 320, 3),
        [(1, 6300, 85)],
        HeadSpec("yolov5"),
        InputSpec(320, 320, "rgb", 1 / 255),
        ["labels", "head.coordinates"],
    ),
    "YOLOv8": (
        (1, 640, 640, 3),
        [(1, 84, 8400)],
        HeadSpec("yolov8"),
        InputSpec(640, 640, "rgb", 1 / 255),
        ["labels", "head.coordinates"],
    ),
}


@pytest.mark.parametrize("name", DETECTORS)
def test_detectors(name: str) -> None:
    picture, outputs, head, spec, asked = DETECTORS[name]
    found = told(model(picture, *outputs))
    kind = "object-detector" if "labels" in asked else "face-detector"
    assert (found.kind, found.head, found.input) == (kind, head, spec)
    assert keys(found) == asked


@pytest.mark.parametrize("name", DETECTORS)
def test_what_is_recognized_can_be_decoded(name: str) -> None:
    picture, outputs, *_ = DETECTORS[name]
    graph = model(picture, *outputs)
    found = told(graph)
    assert found.head is not None
    labels = tuple(f"thing {n}" for n in range(80)) if found.kind == "object-detector" else ()
    manifest = Manifest(
        name="some",
        version="1",
        kind=found.kind,
        model="some.tflite",
        sha256="",
        licence="",
        description="",
        input=found.input,
        head=found.head,
        labels=labels,
    )
    head = head_of(manifest, graph.interface()[1], 0.5)
    unsure = [np.full(shape, -20, np.float32) for shape in outputs]
    assert head.decode(unsure.__getitem__).scores.size == 0


def test_a_quantized_range_tells_shares_from_pixels() -> None:
    for scale, coordinates in ((0.005, "normalized"), (2.6, "pixels")):
        boxes = tensor((1, 84, 8400), "UINT8", (scale, 0))
        found = told(model((1, 640, 640, 3), boxes), labels=80)
        assert found.head == HeadSpec("yolov8", coordinates=coordinates)  # type: ignore[arg-type]
        assert found.unknown == ()


def test_an_ssd_in_a_file_tells_the_order_of_its_outputs() -> None:
    found = from_file("ssd_postprocess")
    assert found.kind == "object-detector"
    assert found.head == HeadSpec(
        "ssd-postprocess", outputs=("scores", "boxes", "count", "classes")
    )
    assert found.unknown[0].startswith("labels: name the 2 class(es)")


def test_labels_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ModelRejected, match=r"80 classes apart, but came with 3 label\(s\)"):
        told(model((1, 640, 640, 3), (1, 84, 8400)), labels=3)
    with pytest.raises(ModelRejected, match=r"gives 4 number\(s\), but came with 3 label\(s\)"):
        told(model((1, 8, 8, 3), (1, 4)), labels=3)


@pytest.mark.parametrize(
    ("picture", "outputs", "part"),
    [
        ((1, 3, 224, 224), [(1, 2)], "convert it with the channels last"),
        ((1, 224, 224, 4), [(1, 2)], "takes float32 1x224x224x4, expected one picture"),
        ((4, 224, 224, 3), [(1, 2)], "expected one picture"),
        ((1, 9000, 224, 3), [(1, 2)], "expected one picture"),
        ((1, 16000), [(1, 2)], "takes float32 1x16000, expected one picture"),
        ((1, 224, 224, 3), [(1, 2), (1, 3)], "gives float32 1x2 and float32 1x3, expected the"),
        ((1, 224, 224, 3), [(1, 56, 56, 21)], "gives float32 1x56x56x21, expected the (1, n)"),
        ((1, 128, 128, 3), [(1, 2304, 16), (1, 2304, 1)], "BlazeFace, YuNet, YOLO"),
    ],
)
def test_what_fits_nothing_is_refused(picture: Shape, outputs: list[Shape], part: str) -> None:
    with pytest.raises(ModelRejected) as error:
        told(model(picture, *outputs))
    assert part in str(error.value)
    assert str(error.value).startswith("some.tflite")
