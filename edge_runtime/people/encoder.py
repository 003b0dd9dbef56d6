"""A face to a vector: points found, laid out as the model was trained, its numbers brought to
length 1, so that the cosine of two faces is the product of their vectors.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

import numpy as np

from edge_runtime.engine.engine import Engine
from edge_runtime.engine.tensor import byte_writer, dequantize
from edge_runtime.errors import ModelRejected
from edge_runtime.people.layout import Points, laid_out, similarity
from edge_runtime.people.points import PointFinder, PointsDescription
from edge_runtime.people.sight import USUAL, Gate, Sight, Vector, quality_of
from edge_runtime.types import Box, Picture

SHORTEST: Final = 1e-6


class OperatingPoint(Protocol):
    """From which cosine on two pictures count as one person, and how many strangers pass."""

    @property
    def false_accepts(self) -> float: ...
    @property
    def threshold(self) -> float: ...


class EmbeddingDescription(Protocol):
    """What a manifest says of the vectors (docs/models.md)."""

    @property
    def size(self) -> int: ...
    @property
    def points(self) -> Sequence[tuple[float, float]]: ...
    @property
    def slope(self) -> float: ...
    @property
    def intercept(self) -> float: ...
    @property
    def operating_points(self) -> Sequence[OperatingPoint]: ...


class EncoderDescription(PointsDescription, Protocol):
    """What a PointFinder needs of a manifest, and what the vectors mean."""

    @property
    def embedding(self) -> EmbeddingDescription | None: ...


class FaceEncoder:
    """Looks at one face after the other. Raises ModelRejected when the model's tensors or its
    manifest do not fit.
    """

    def __init__(
        self,
        engine: Engine,
        manifest: EncoderDescription,
        points: PointFinder,
        *,
        gate: Gate = USUAL,
    ) -> None:
        self._engine, self._points, self._gate = engine, points, gate
        spec, says = manifest.crop_spec, manifest.embedding
        if says is None or not says.operating_points:
            raise ModelRejected(
                f"model {manifest.name} cannot tell people apart: its manifest has no section "
                "'embedding' with operating_points, which says what its cosines mean"
            )
        self.meaning: EmbeddingDescription = says
        """What a cosine of two vectors is worth."""
        shapes = [each.shape for each in engine.inputs], [each.shape for each in engine.outputs]
        if spec.width != spec.height or shapes != (
            [(1, spec.height, spec.width, 1)],
            [(1, says.size)],
        ):
            raise ModelRejected(
                f"model {manifest.name} does not fit its manifest: its tensors are {shapes[0]} and "
                f"{shapes[1]}; expected one square luma crop of {spec.width}x{spec.height} and "
                f"{says.size} numbers"
            )
        self._side = spec.width
        self._places = np.array(says.points, np.float64) * self._side
        self._write = byte_writer(
            engine.inputs[0], scale=manifest.input.scale, offset=manifest.input.offset
        )
        self.invoke_s = 0.0
        """Seconds the last look spent inside interpreters."""

    def look(self, picture: Picture, face: Box) -> Sight:
        """What the picture shows of the face in a detector's box."""
        points = self._points.find(picture, face)
        self.invoke_s = self._points.invoke_s
        return self.look_at(picture, points)

    def look_at(self, picture: Picture, points: Points) -> Sight:
        """As ``look``, of a face whose points are known."""
        fit = similarity(points, self._places)
        crop = laid_out(picture, fit, self._side)
        quality = quality_of(points, self._places, fit, crop)
        hindrance = self._gate.hindrance(quality)
        if hindrance is not None:
            return Sight(quality, hindrance=hindrance)
        self._write(crop, self._engine.input())
        self._engine.invoke()
        self.invoke_s += self._engine.invoke_s
        numbers = dequantize(self._engine.output()[0], self._engine.outputs[0])
        vector = unit(numbers)
        return Sight(quality, vector, None if vector is not None else "nothing to tell it by")


def unit(numbers: Vector) -> Vector | None:
    """The vector brought to length 1; None for one without a direction."""
    length = float(np.sqrt(numbers @ numbers))
    if not SHORTEST < length < np.inf:
        return None
    return np.asarray(numbers / np.float32(length), np.float32)
