"""``head`` in a detector's manifest: which family of outputs the model has, and how they are meant.

What each type decodes is told in edge_runtime/attention/heads/.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, cast

from edge_runtime.store.fields import Fields

HeadType = Literal["centre-log-size", "blazeface", "yunet", "ssd-postprocess", "yolov5", "yolov8"]
Coordinates = Literal["normalized", "pixels"]

LABELLED: Final[tuple[HeadType, ...]] = ("ssd-postprocess", "yolov5", "yolov8")
"""Heads that tell several things apart, so that an object-detector may have them."""

SSD_OUTPUTS: Final = ("boxes", "classes", "scores", "count")
"""In the order of the operator TFLite_Detection_PostProcess."""


@dataclass(frozen=True, slots=True)
class HeadSpec:
    """How a detector's outputs are read. Fields of other types keep their defaults."""

    type: HeadType
    strides: tuple[int, ...] = ()
    """centre-log-size: one pair of outputs (logits, boxes) for each."""
    coordinates: Coordinates = "normalized"
    """yolov5, yolov8: boxes in shares of the input, or in its pixels."""
    outputs: tuple[str, ...] = ()
    """ssd-postprocess: what the model's outputs are, in their order; the operator's when empty."""
    classes: tuple[str, ...] = ()
    """Heads with labels: those that count; all when empty."""


GLANCE: Final = HeadSpec("centre-log-size")
"""Our own head, of a model whose strides are not known yet."""


def read_head(kind: HeadType, head: Fields, labels: Sequence[str]) -> HeadSpec:
    """The rest of ``head``, whose type is ``kind``. Raises ManifestInvalid."""
    spec = HeadSpec(
        kind,
        strides=_strides(head) if kind == "centre-log-size" else (),
        coordinates=_coordinates(head) if kind.startswith("yolo") else "normalized",
        outputs=_outputs(head) if kind == "ssd-postprocess" and "outputs" in head else (),
        classes=_classes(head, labels) if kind in LABELLED and "classes" in head else (),
    )
    head.finish()
    return spec


def _strides(head: Fields) -> tuple[int, ...]:
    strides: tuple[int, ...] = head.items("strides", int, "a list such as [8, 16, 32]")
    if min(strides) < 1:
        head.refuse("strides", list(strides), "strides of 1 or more")
    return strides


def _coordinates(head: Fields) -> Coordinates:
    return cast(Coordinates, head.choice("coordinates", ("normalized", "pixels")))


def _outputs(head: Fields) -> tuple[str, ...]:
    expected = f"a list of {', '.join(SSD_OUTPUTS)} in the order of the model's outputs"
    outputs = head.items("outputs", str, expected)
    if sorted(outputs) != sorted(SSD_OUTPUTS):
        head.refuse("outputs", list(outputs), expected)
    return outputs


def _classes(head: Fields, labels: Sequence[str]) -> tuple[str, ...]:
    classes = head.items("classes", str, "a list of some of the labels")
    for each in classes:
        if each not in labels:
            near = difflib.get_close_matches(each, labels, 1)
            hint = f" (did you mean {near[0]}?)" if near else ""
            head.refuse("classes", list(classes), f"only labels of the model, not {each}{hint}")
    return classes
