"""What a report says of a net and of its file: how good, how large, how fast."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from edge_runtime.compress.checkpoint import Work
from edge_runtime.compress.converter import float_tflite
from edge_runtime.compress.examination import file_answers, file_costs, net_answers
from edge_runtime.compress.measure import Measure
from edge_runtime.compress.recipe import ReportTable
from edge_runtime.compress.samples import Batch
from edge_runtime.compress.slim import slim
from edge_runtime.compress.weighted_layers import layer_costs
from edge_runtime.types import JsonObject


@dataclass(frozen=True, kw_only=True)
class Exam:
    """Held inputs with their labels, and how answers to them are judged."""

    held: Batch | None
    """None: nothing is judged."""
    example: Tensor
    measure: Measure
    table: ReportTable

    def figures(self, work: Work) -> JsonObject:
        """All that is known after a stage."""
        net: JsonObject = {} if work.net is None else self._of_net(work.net)
        if work.model is not None:
            return {**net, "file": self._of_file(work, work.model, judged=True)}
        if work.net is not None and self.table.every_stage:
            stopgap = slim(float_tflite(work.net, self.example))
            return {**net, "file": self._of_file(work, stopgap, judged=False)}
        return net

    def _of_net(self, net: nn.Module) -> JsonObject:
        """Of the torch net: accuracy, parameters, multiply-accumulates, layer by layer."""
        layers = layer_costs(net, self.example)
        found: JsonObject = {
            "parameters": sum(p.numel() for p in net.parameters()),
            "macs": sum(each.macs for each in layers),
            "layers": [each.as_json() for each in layers],
        }
        if self.held is not None:
            inputs, labels = self.held
            found["accuracy"] = self.measure(net_answers(net.eval(), inputs), labels).as_json()
        return found

    def _of_file(self, work: Work, model: bytes, *, judged: bool) -> JsonObject:
        """Of a .tflite; one that only stands in for a net is not judged. Sizes keep their names."""
        figures: JsonObject = {
            "delivered": work.model is not None,
            "tflite_bytes": len(model),
            "container_bytes": None if work.container is None else len(work.container),
            "weight_bits": work.weight_bits,
            **file_costs(model, self.table.runs),
        }
        if judged and self.held is not None:
            inputs, labels = (each[: self.table.exam] for each in self.held)
            answers = file_answers(model, inputs, takes_bytes=work.takes_bytes)
            figures["accuracy"] = self.measure(answers, labels).as_json()
        return figures
