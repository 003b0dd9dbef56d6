"""Runs a recipe from its first unfinished stage to the delivered folder."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from edge_runtime.compress.checkpoint import StageFolder, Work
from edge_runtime.compress.confidence import Share
from edge_runtime.compress.delivery import deliver
from edge_runtime.compress.examination import examine_file, file_costs
from edge_runtime.compress.origin import example_of, open_origin, open_samples
from edge_runtime.compress.progress import Progress
from edge_runtime.compress.recipe import Recipe, stage_json
from edge_runtime.compress.samples import Samples
from edge_runtime.compress.slim import slim
from edge_runtime.compress.stage_options import StageOptions, epochs_of
from edge_runtime.compress.stages import Desk, run_stage
from edge_runtime.compress.torch_export import float_tflite
from edge_runtime.compress.training import right_answers
from edge_runtime.compress.weighted_layers import layer_costs
from edge_runtime.errors import CompressionError
from edge_runtime.types import JsonObject


def use_threads(count: int) -> None:
    """How many cores training and converting may use."""
    torch.set_num_threads(count)


def units_of(recipe: Recipe) -> list[tuple[str, float]]:
    """The stages as Progress counts them."""
    return [(s.key, epochs_of(s) + Progress.LIGHT) for s in recipe.stages]


@dataclass(frozen=True, kw_only=True)
class Compression:
    """A recipe with its folders. ``run`` may be called again after any end of the process."""

    recipe: Recipe
    data: Path | None
    work: Path
    out: Path
    progress: Progress

    def run(self) -> JsonObject:
        """All stages, then the delivery; returns the report. Raises what the stages raise."""
        samples = open_samples(self.recipe.data, self.recipe.model, self.data)
        example = example_of(self.recipe.model, samples)
        work, rows = open_origin(self.recipe), []
        names = self.recipe.folder_names()
        for number, (stage, name) in enumerate(zip(self.recipe.stages, names, strict=True), 1):
            self.progress.begin(number)
            folder = StageFolder(self.work / name)
            kept = folder.is_done
            if not kept:
                self._do(stage, work, folder, samples, example)
            work, figures = folder.result()
            self.progress.end(_summary(figures), kept=kept)
            rows.append({"number": number, **stage_json(stage), **figures})
        return deliver(self.recipe, work, rows, self.out)

    def _do(
        self,
        stage: StageOptions,
        work: Work,
        folder: StageFolder,
        samples: Samples | None,
        example: Tensor,
    ) -> None:
        folder.check_room()
        torch.manual_seed(self.recipe.seed)
        desk = Desk(
            samples=samples,
            example=example,
            seed=self.recipe.seed,
            data=self.data,
            keeper=folder,
            on_progress=self.progress.advance,
        )
        began = time.monotonic()
        made = run_stage(stage, work, desk)
        seconds = round(time.monotonic() - began, 2)
        figures = self._figures(made, samples, example)
        folder.finish(made, {"seconds": seconds, **figures})

    def _figures(self, work: Work, samples: Samples | None, example: Tensor) -> JsonObject:
        """What is known after a stage."""
        figures: JsonObject = {} if work.net is None else net_figures(work, samples, example)
        if work.model is not None:
            return {**figures, "file": self._file_figures(work, work.model, samples)}
        if self.recipe.report.every_stage:
            stopgap = slim(float_tflite(_net(work), example))
            return {**figures, "file": self._file_figures(work, stopgap, None)}
        return figures

    def _file_figures(self, work: Work, model: bytes, samples: Samples | None) -> JsonObject:
        """Of a .tflite; examined unless it only stands in for a net. Sizes keep their names."""
        table = self.recipe.report
        figures: JsonObject = {
            "delivered": work.model is not None,
            "tflite_bytes": len(model),
            "container_bytes": None if work.container is None else len(work.container),
            "weight_bits": work.weight_bits,
            **file_costs(model, table.runs),
        }
        if samples is not None:
            figures["accuracy"] = _examined(model, work, samples, table.exam).as_json()
        return figures


def _net(work: Work) -> Any:
    if work.net is None:
        raise CompressionError("a stage left neither a net nor a file")
    return work.net


def net_figures(work: Work, samples: Samples | None, example: Tensor) -> JsonObject:
    """Of the torch net: accuracy, parameters, multiply-accumulates, layer by layer."""
    net: Any = work.net
    layers = layer_costs(net, example)
    found: JsonObject = {
        "parameters": sum(p.numel() for p in net.parameters()),
        "macs": sum(each.macs for each in layers),
        "layers": [each.as_json() for each in layers],
    }
    if samples is not None:
        inputs, labels = samples.held()
        found["accuracy"] = Share(right_answers(net.eval(), inputs, labels), len(labels)).as_json()
    return found


def _examined(model: bytes, work: Work, samples: Samples, most: int) -> Share:
    inputs, labels = samples.held()
    return examine_file(model, inputs[:most], labels[:most], takes_bytes=work.takes_bytes)


def _summary(figures: JsonObject) -> str:
    """One line for people."""
    file = figures.get("file", {})
    accuracy = file.get("accuracy") or figures.get("accuracy")
    parts = [f"{figures['seconds']:.1f} s"]
    parts += [f"{100 * accuracy['value']:.2f} % right"] if accuracy else []
    parts += [f"{file['tflite_bytes']} bytes .tflite"] if file else []
    parts += (
        [f"{file['container_bytes']} bytes .tflite.edge"] if file.get("container_bytes") else []
    )
    return ", ".join(parts)
