"""Where a face's eyes, nose and mouth are: a small net on the crop that classifiers see."""

from __future__ import annotations

from typing import Final, Protocol

import numpy as np

from edge_runtime import imaging
from edge_runtime.engine.engine import Engine
from edge_runtime.engine.tensor import byte_writer, dequantize
from edge_runtime.errors import ModelRejected
from edge_runtime.people.layout import Points
from edge_runtime.types import Box, CropSpec, Picture

COUNT: Final = 5


class InputDescription(Protocol):
    """What a manifest says of the input: real = byte * scale + offset."""

    @property
    def scale(self) -> float: ...
    @property
    def offset(self) -> float: ...


class PointsDescription(Protocol):
    """The part of a model's manifest that a PointFinder needs."""

    @property
    def name(self) -> str: ...
    @property
    def input(self) -> InputDescription: ...
    @property
    def crop_spec(self) -> CropSpec: ...


class PointFinder:
    """Finds the five points of a face. Raises ModelRejected when the model's tensors do not fit."""

    def __init__(self, engine: Engine, manifest: PointsDescription) -> None:
        self._engine = engine
        self._spec = spec = manifest.crop_spec
        shapes = [each.shape for each in engine.inputs], [each.shape for each in engine.outputs]
        if shapes != ([(1, spec.height, spec.width, 1)], [(1, 2 * COUNT)]):
            raise ModelRejected(
                f"model {manifest.name} finds no five points: its tensors are {shapes[0]} and "
                f"{shapes[1]}; expected one luma crop of {spec.width}x{spec.height} and "
                f"{2 * COUNT} numbers"
            )
        self._write = byte_writer(
            engine.inputs[0], scale=manifest.input.scale, offset=manifest.input.offset
        )
        self._crop = np.empty((spec.height, spec.width), np.uint8)

    @property
    def invoke_s(self) -> float:
        """Seconds the last run spent inside the interpreter."""
        return self._engine.invoke_s

    def find(self, picture: Picture, face: Box) -> Points:
        """The points of the face in a detector's box; a guess where the face does not show them."""
        x, y = face.centre
        side = max(face.w, face.h) * (1 + self._spec.margin)
        box = Box(x - side / 2, y - side / 2, side, side)
        imaging.fit_region(picture.luma(box), box, (picture.width, picture.height), self._crop)
        self._write(self._crop, self._engine.input())
        self._engine.invoke()
        shares = dequantize(self._engine.output()[0], self._engine.outputs[0]).reshape(COUNT, 2)
        return np.asarray(shares, np.float64) * side + (box.x, box.y)
