"""Key ``scales`` of ``quantize``: one scale for a whole weight where one per channel is not needed.

A scale takes 4 bytes and a weight 1, so in a tiny net the scales of narrow layers weigh as much as
their weights. One scale for the tensor is coarser for channels of small weights (Krishnamoorthi,
arXiv 1806.08342, section 3); whether the answers suffer is measured, not guessed.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from edge_runtime.compress.examination import net_answers
from edge_runtime.compress.lean_writer import lean_tflite
from edge_runtime.compress.measure import Answers
from edge_runtime.compress.quantize import QuantizedNet
from edge_runtime.types import JsonObject


@dataclass(frozen=True)
class ScaleChoice:
    """What was measured for one layer, and decided."""

    layer: str
    channels: int
    alone: float
    """The answers' error if only this layer had one scale."""
    one_scale: bool
    bytes_saved: int
    """Of the file, given the choices made before; 0 for a layer that keeps a scale per channel."""

    def as_json(self) -> JsonObject:
        return {
            "layer": self.layer,
            "channels": self.channels,
            "error_alone": round(self.alone, 6),
            "one_scale": self.one_scale,
            "bytes_saved": self.bytes_saved,
        }


def answer_error(answers: Answers, wanted: Answers) -> float:
    """Root mean square distance in standard deviations of what is wanted, averaged over outputs."""
    errors = [
        float((got - want).square().mean().sqrt() / want.std().clamp_min(1e-9))
        for got, want in zip(answers, wanted, strict=True)
    ]
    return sum(errors) / len(errors)


class ScaleChooser:
    """Tries layers of a calibrated net with one scale each, against the float net's answers."""

    def __init__(self, net: QuantizedNet, inputs: Tensor, wanted: Answers) -> None:
        self._net, self._inputs, self._wanted = net, inputs, wanted
        self._layers = net.roundings()

    def choose(self, tolerance: float) -> tuple[ScaleChoice, ...]:
        """Give one scale to all layers that can have it together, the least harmful first.

        The error of the answers may grow to at most (1 + ``tolerance``) times what it is with a
        scale for every channel.
        """
        most = self._error() * (1 + tolerance)
        alone = {name: self._error_alone(name) for name in self._layers}
        return tuple(
            self._choice(name, alone[name], most) for name in sorted(alone, key=alone.__getitem__)
        )

    def _choice(self, name: str, alone: float, most: float) -> ScaleChoice:
        layer, rounding = self._layers[name]
        before = self._bytes()
        rounding.one_scale = alone <= most
        rounding.one_scale = rounding.one_scale and self._error() <= most
        return ScaleChoice(
            name, len(layer.weight), alone, rounding.one_scale, before - self._bytes()
        )

    def _error_alone(self, name: str) -> float:
        rounding = self._layers[name][1]
        rounding.one_scale = True
        error = self._error()
        rounding.one_scale = False
        return error

    def _error(self) -> float:
        return answer_error(net_answers(self._net, self._inputs), self._wanted)

    def _bytes(self) -> int:
        return len(lean_tflite(self._net, self._inputs[:1]))
