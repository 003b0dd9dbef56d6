"""What a model is, told by its tensors and operators alone, and what they cannot tell.

Numbers that cannot be told come with a sentence that asks for them, naming the manifest's key.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from edge_runtime.engine.graph import Graph
from edge_runtime.engine.tensor import Tensor
from edge_runtime.errors import ModelRejected
from edge_runtime.store.head import HeadSpec, HeadType
from edge_runtime.store.head_shapes import ToldHead, told_head
from edge_runtime.store.manifest import LARGEST_SIDE, Activation, Color, InputSpec, Kind

SMALLEST_EMBEDDING: Final = 32
"""Numbers. A vector this long without labels may be an embedding."""

DTYPES: Final = ("int8", "uint8", "int16", "float32", "float16")

SCALINGS: Final = ((1.0, 0.0), (1 / 255, 0.0), (1 / 127.5, -1.0))
"""Scale and offset of the usual inputs: 0..255, 0..1, -1..1."""

NEAR: Final = 0.02
"""Share of an input's range: calibrated ranges miss the ends a little."""

PUBLISHED: Final[dict[HeadType, tuple[float, float]]] = {
    "centre-log-size": (1.0, 0.0),
    "blazeface": (1 / 127.5, -1.0),
    "yunet": (1.0, 0.0),
    "yolov5": (1 / 255, 0.0),
    "yolov8": (1 / 255, 0.0),
}
"""Scale and offset that the heads' own projects train with."""

PASSING: Final = {"RESHAPE", "SQUEEZE", "EXPAND_DIMS", "QUANTIZE", "DEQUANTIZE", "CAST"}
"""Operators that carry numbers on as they are."""

LAST_STEPS: Final[dict[str, Activation]] = {
    "SOFTMAX": "softmax",
    "LOGISTIC": "sigmoid",
    # exp of a log-softmax sums to 1 already, so softmax of it is the softmax.
    "LOG_SOFTMAX": "logits",
    "FULLY_CONNECTED": "logits",
    "CONV_2D": "logits",
    "BATCH_MATMUL": "logits",
}
"""What a classifier's last step makes of its numbers: after a linear one they are logits."""

TOLERANCE: Final = 0.1
"""How far the range of probabilities may lie beyond 0 and 1, or stay short of 1."""


@dataclass(frozen=True, slots=True)
class Recognition:
    """What a model is. Where ``unknown`` names a key, the field holds a first guess or None."""

    kind: Kind
    input: InputSpec
    head: HeadSpec | None = None
    """Detectors."""
    activation: Activation | None = None
    """Classifiers, where it can be told."""
    unknown: tuple[str, ...] = ()
    """A sentence for each key of the manifest that cannot be told; it begins with the key."""


def recognize(graph: Graph, name: str, *, labels: int | None = None) -> Recognition:
    """Tell what the model ``name`` is; ``labels`` is how many came with it, if any did.

    Raises ModelRejected, with what was found and what was expected, when nothing fits.
    """
    picture = _picture(graph, name)
    size = picture.shape[2], picture.shape[1]
    head = told_head(graph, size)
    if head is not None:
        return _detector(picture, head, name, labels)
    return _vector(graph, picture, name, labels)


def _picture(graph: Graph, name: str) -> Tensor:
    """The only input, which takes a picture."""
    inputs = graph.interface()[0]
    if len(inputs) == 1 and inputs[0].dtype.name in DTYPES and len(inputs[0].shape) == 4:
        batch, height, width, channels = inputs[0].shape
        sides = 1 <= height <= LARGEST_SIDE and 1 <= width <= LARGEST_SIDE
        if batch == 1 and sides and channels in (1, 3):
            return inputs[0]
    shape = inputs[0].shape if inputs else ()
    first = len(shape) == 4 and shape[1] in (1, 3)
    raise ModelRejected(
        f"{name} takes {_listed(inputs)}, expected one picture (1, height, width, 1 or 3) of "
        f"{', '.join(DTYPES)}{': convert it with the channels last' if first else ''}"
    )


def _detector(picture: Tensor, head: ToldHead, name: str, labels: int | None) -> Recognition:
    count = head.labelled
    if None not in (labels, count) and labels != count:
        raise ModelRejected(f"{name} tells {count} classes apart, but came with {labels} label(s)")
    asked: tuple[str, ...] = ()
    if labels is None and count is not None:
        asked = (
            f"labels: name the {count} class(es) in the order of their numbers, in labels or a "
            "labels.txt; if all are faces, set kind to face-detector instead",
        )
    spec, scaling = _input(picture, head.spec.type)
    return Recognition(
        kind="face-detector" if count is None else "object-detector",
        input=spec,
        head=head.spec,
        unknown=(*asked, *head.unknown, *scaling),
    )


def _vector(graph: Graph, picture: Tensor, name: str, labels: int | None) -> Recognition:
    """A classifier or an embedding: one row of numbers comes out."""
    output = _row(graph, name)
    numbers = output.shape[-1]
    step = _last_step(graph)
    activation = LAST_STEPS.get(step) or _activation_by_range(output)
    if labels is not None and labels != numbers and (labels, numbers) != (2, 1):
        raise ModelRejected(f"{name} gives {numbers} number(s), but came with {labels} label(s)")
    spec, asked = _input(picture)
    likelihoods = activation in ("softmax", "sigmoid")
    if labels is None and not likelihoods and numbers >= SMALLEST_EMBEDDING:
        doubt = () if step == "L2_NORMALIZATION" else (_which_kind(numbers),)
        return Recognition("embedding", spec, unknown=(*doubt, *asked))
    if activation is None:
        asked = (_which_activation(step), *asked)
    if labels is None:
        asked = (_which_labels(numbers), *asked)
    return Recognition("crop-classifier", spec, activation=activation, unknown=asked)


def _row(graph: Graph, name: str) -> Tensor:
    """The only output, (1, n) or (1, 1, 1, n)."""
    outputs = graph.interface()[1]
    if len(outputs) == 1:
        shape = outputs[0].shape
        if len(shape) in (2, 4) and set(shape[:-1]) == {1} and shape[-1] >= 1:
            return outputs[0]
    raise ModelRejected(
        f"{name} gives {_listed(outputs)}, expected the (1, n) of a classifier or an embedding, or "
        "the outputs of a detector: BlazeFace, YuNet, YOLO with its boxes in one tensor, SSD with "
        "TFLite_Detection_PostProcess, or centre-log-size"
    )


def _last_step(graph: Graph) -> str:
    """The operator that made the output, seen through those that only carry it on."""
    makers = {index: each for each in graph.operators for index in each.outputs}
    wanted, step = graph.outputs[0], ""
    # Bounded, because a damaged file may lead in a circle.
    for _ in graph.operators:
        maker = makers.get(wanted)
        step = maker.name if maker else ""
        if maker is None or step not in PASSING or not maker.inputs:
            break
        wanted = maker.inputs[0]
    return step


def _activation_by_range(output: Tensor) -> Activation | None:
    if output.limits is None:
        return None
    low, high = output.limits
    if low < -TOLERANCE or high > 1 + TOLERANCE:
        return "logits"
    if high < 1 - TOLERANCE:
        return None
    return "softmax" if output.shape[-1] > 1 else "sigmoid"


def _input(picture: Tensor, head: HeadType | None = None) -> tuple[InputSpec, tuple[str, ...]]:
    """The input, and what it leaves to be asked."""
    _, height, width, channels = picture.shape
    color: Color = "luma" if channels == 1 else "bgr" if head == "yunet" else "rgb"
    scaling = _scaling(picture) or (None if head is None else PUBLISHED.get(head))
    if scaling is not None:
        return InputSpec(width, height, color, *scaling), ()
    asked = (
        f"input.scale and input.offset: the input is {picture.dtype.name}, which does not tell "
        "what a picture's bytes became in training: 1 and 0 where they stayed 0 to 255, "
        "0.00392157 and 0 for 0 to 1, 0.00784314 and -1 for -1 to 1",
    )
    return InputSpec(width, height, color), asked


def _scaling(picture: Tensor) -> tuple[float, float] | None:
    """Scale and offset of an 8-bit input, from the range it was calibrated for."""
    if picture.dtype.kind not in "iu" or picture.dtype.itemsize > 1:
        return None
    low, high = picture.limits or (0.0, 255.0)
    for scale, offset in SCALINGS:
        allowed = NEAR * 255 * scale
        if abs(low - offset) <= allowed and abs(high - offset - 255 * scale) <= allowed:
            return scale, offset
    # Any other range: the 256 bytes are the 256 numbers the input can hold.
    return (high - low) / 255, low


def _which_kind(numbers: int) -> str:
    return (
        f"kind: {numbers} numbers may be an embedding or the logits of a classifier: say which, "
        "and name the labels of a classifier"
    )


def _which_labels(numbers: int) -> str:
    if numbers == 1:
        return "labels: name two labels; the one output says how likely the second is"
    return f"labels: name the {numbers} outputs in their order, in labels or a labels.txt"


def _which_activation(step: str) -> str:
    return (
        f"activation: the last step is {step or 'unknown'}, which does not tell whether the output "
        "is 'softmax', 'sigmoid' or 'logits'"
    )


def _listed(tensors: tuple[Tensor, ...]) -> str:
    return " and ".join(str(tensor) for tensor in tensors) or "nothing"
