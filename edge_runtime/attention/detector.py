"""Find faces or things with a model: a picture in, boxes with scores out.

Which numbers of the model mean what is the business of its head (``heads/``). A model that takes
luma is shown the glance itself; one that takes colour gets the full picture, fitted into its input.
"""

from __future__ import annotations

from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from edge_runtime import imaging
from edge_runtime.attention.heads.blazeface import BlazeFaceHead
from edge_runtime.attention.heads.glance import GlanceHead
from edge_runtime.attention.heads.head import Candidates, Head, Size
from edge_runtime.attention.heads.ssd import SsdHead
from edge_runtime.attention.heads.yolo import YoloHead, YoloV5Head, YoloV8Head
from edge_runtime.attention.heads.yunet import YuNetHead
from edge_runtime.attention.overlap import suppress
from edge_runtime.engine.engine import Engine, Tensor
from edge_runtime.engine.tensor import byte_writer
from edge_runtime.errors import ModelRejected
from edge_runtime.types import Box, Detection, Luma, Picture

MOST_CANDIDATES: Final = 400
"""Boxes kept before suppression: bounds the work when a threshold near 0 is asked for."""

LARGEST_REACH: Final = 4.0
"""Times the input's longer side: a box beyond is a broken number, and cutting it fills memory."""

MOTION_SIZE: Final[Size] = (160, 120)
"""The glance beside a colour model, which only tells motion by it."""


YOLO: Final[dict[str, type[YoloHead]]] = {"yolov5": YoloV5Head, "yolov8": YoloV8Head}


class InputDescription(Protocol):
    """What a manifest says of the picture a model takes: real = byte * scale + offset."""

    @property
    def width(self) -> int: ...
    @property
    def height(self) -> int: ...
    @property
    def color(self) -> str: ...
    @property
    def scale(self) -> float: ...
    @property
    def offset(self) -> float: ...


class HeadDescription(Protocol):
    """What a manifest says of a model's outputs; docs/models.md describes each key."""

    @property
    def type(self) -> str: ...
    @property
    def strides(self) -> tuple[int, ...]: ...
    @property
    def coordinates(self) -> str: ...
    @property
    def outputs(self) -> tuple[str, ...]: ...
    @property
    def classes(self) -> tuple[str, ...]: ...


class DetectorDescription(Protocol):
    """The part of a model's manifest that a Detector needs."""

    @property
    def name(self) -> str: ...
    @property
    def input(self) -> InputDescription: ...
    @property
    def head(self) -> HeadDescription: ...
    @property
    def labels(self) -> tuple[str, ...]: ...
    @property
    def iou_threshold(self) -> float: ...


class Detector:
    """One model that says where in a picture there is something.

    Raises ModelRejected when the model's tensors do not fit the manifest.
    """

    def __init__(self, engine: Engine, manifest: DetectorDescription, *, threshold: float) -> None:
        spec = manifest.input
        self._engine = engine
        self.threshold = threshold
        """Lowest score of what is found."""
        self.iou_threshold = manifest.iou_threshold
        """Boxes that overlap more are one."""
        self.color = spec.color
        """``luma``, ``rgb`` or ``bgr``: what it is shown."""
        tensor = _expected_input(engine, manifest)
        self._write = byte_writer(tensor, scale=spec.scale, offset=spec.offset)
        self._canvas: npt.NDArray[np.uint8] = np.empty(tensor.shape[1:], np.uint8)
        self._head = head_of(manifest, engine.outputs, threshold)
        self._reach = LARGEST_REACH * max(spec.width, spec.height)
        luma = spec.color == "luma"
        self.glance_size = (spec.width, spec.height) if luma else MOTION_SIZE
        """Width and height of the glance that ``detect`` is to be given."""

    @property
    def invoke_s(self) -> float:
        """Seconds the last run spent inside the interpreter."""
        return self._engine.invoke_s

    def detect(self, glance: Luma, fit: imaging.Fit, picture: Picture) -> tuple[Detection, ...]:
        """What is in ``picture``, of which ``glance`` shows all, letterboxed by ``fit``.

        In picture pixels, best score first, overlapping ones suppressed: also those of different
        classes, for a place is looked at once.
        """
        return self._run(self._show(glance, fit, picture))

    def detect_in(self, picture: Picture, window: Box) -> tuple[Detection, ...]:
        """What a model that takes colour finds in one ``window`` of ``picture``; as ``detect``."""
        return self._run(self._show_colour(picture, window))

    def _run(self, fit: imaging.Fit) -> tuple[Detection, ...]:
        self._engine.invoke()
        boxes, scores = strongest(self._head.decode(self._engine.output))
        if not scores.size:
            return ()
        kept = suppress(boxes, scores, self.iou_threshold)
        return tuple(
            Detection(fit.to_picture(Box(*box)), score)
            for box, score in zip(boxes[kept].tolist(), scores[kept].tolist(), strict=True)
            if self._is_a_place(*box)
        )

    def _is_a_place(self, x: float, y: float, w: float, h: float) -> bool:
        """False for what only a broken float model says: NaN, endless, turned inside out."""
        end = self._reach
        return 0 < w <= end and 0 < h <= end and -end <= x <= end and -end <= y <= end

    def _show(self, glance: Luma, fit: imaging.Fit, picture: Picture) -> imaging.Fit:
        """Write the picture into the input; how it was fitted."""
        if self.color == "luma":
            self._write(glance, self._engine.input())
            return fit
        return self._show_colour(picture, Box(0, 0, picture.width, picture.height))

    def _show_colour(self, picture: Picture, window: Box) -> imaging.Fit:
        canvas = self._canvas
        left, top, right, bottom = imaging.whole_pixels(window, picture.width, picture.height)
        pixels = picture.bgr(Box(left, top, right - left, bottom - top))
        fit = imaging.letterbox(pixels, (right - left, bottom - top), canvas)
        self._write(imaging.rgb_of(canvas) if self.color == "rgb" else canvas, self._engine.input())
        return fit.moved(left, top)


def strongest(found: Candidates) -> Candidates:
    """The MOST_CANDIDATES with the highest scores, in no order."""
    if found.scores.size <= MOST_CANDIDATES:
        return found
    best = np.argpartition(-found.scores, MOST_CANDIDATES)[:MOST_CANDIDATES]
    return Candidates(found.boxes[best], found.scores[best])


def head_of(manifest: DetectorDescription, outputs: tuple[Tensor, ...], threshold: float) -> Head:
    """The head that a manifest describes, for a model with these outputs."""
    head, size = manifest.head, (manifest.input.width, manifest.input.height)
    counted = _counted(manifest)
    match head.type:
        case "centre-log-size":
            return GlanceHead(outputs, size, threshold=threshold, strides=head.strides)
        case "blazeface":
            return BlazeFaceHead(outputs, size, threshold=threshold)
        case "yunet":
            return YuNetHead(outputs, size, threshold=threshold)
        case "ssd-postprocess":
            return SsdHead(outputs, size, threshold=threshold, order=head.outputs, counted=counted)
        case "yolov5" | "yolov8":
            return YOLO[head.type](
                outputs,
                size,
                threshold=threshold,
                normalized=head.coordinates == "normalized",
                classes=len(manifest.labels) or 1,
                counted=counted,
            )
    raise ModelRejected(f"model {manifest.name} has a head of the unknown type {head.type!r}")


def _counted(manifest: DetectorDescription) -> set[int] | None:
    """Numbers of the classes that count; None when all do."""
    wanted = manifest.head.classes
    if not wanted:
        return None
    return {number for number, label in enumerate(manifest.labels) if label in wanted}


def _expected_input(engine: Engine, manifest: DetectorDescription) -> Tensor:
    spec = manifest.input
    channels = 1 if spec.color == "luma" else 3
    expected = (1, spec.height, spec.width, channels)
    if [tensor.shape for tensor in engine.inputs] != [expected]:
        got = ", ".join(str(tensor.shape) for tensor in engine.inputs)
        raise ModelRejected(
            f"model {manifest.name} does not fit its manifest: it takes {got}, the manifest's "
            f"{spec.width}x{spec.height} {spec.color} means one input of {expected}"
        )
    return engine.inputs[0]
