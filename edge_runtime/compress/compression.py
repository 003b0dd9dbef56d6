"""Runs a recipe from its first unfinished stage to the delivered folder."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import torch

from edge_runtime.compress.checkpoint import StageFolder, Work
from edge_runtime.compress.delivery import deliver
from edge_runtime.compress.exam import Exam
from edge_runtime.compress.measure import name_of
from edge_runtime.compress.origin import example_of, open_measure, open_origin, open_samples
from edge_runtime.compress.progress import Progress
from edge_runtime.compress.recipe import Recipe, stage_json
from edge_runtime.compress.samples import Samples
from edge_runtime.compress.stage_options import StageOptions, work_of
from edge_runtime.compress.stages import Desk, run_stage
from edge_runtime.types import JsonObject


def use_threads(count: int) -> None:
    """How many cores training and converting may use."""
    torch.set_num_threads(count)


def units_of(recipe: Recipe) -> list[tuple[str, float]]:
    """The stages as Progress counts them."""
    return [(s.key, work_of(s) + Progress.LIGHT) for s in recipe.stages]


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
        exam = Exam(
            held=None if samples is None else samples.held(),
            example=example_of(self.recipe.model, samples),
            measure=open_measure(self.recipe.report),
            table=self.recipe.report,
        )
        work, rows = open_origin(self.recipe), []
        names = self.recipe.folder_names()
        for number, (stage, name) in enumerate(zip(self.recipe.stages, names, strict=True), 1):
            self.progress.begin(number)
            folder = StageFolder(self.work / name)
            kept = folder.is_done
            if not kept:
                self._do(stage, work, folder, samples, exam)
            work, figures = folder.result()
            self.progress.end(_summary(figures), kept=kept)
            rows.append({"number": number, **stage_json(stage), **figures})
        return deliver(self.recipe, work, rows, self.out, measure=name_of(exam.measure))

    def _do(
        self,
        stage: StageOptions,
        work: Work,
        folder: StageFolder,
        samples: Samples | None,
        exam: Exam,
    ) -> None:
        folder.check_room()
        torch.manual_seed(self.recipe.seed)
        desk = Desk(
            samples=samples,
            example=exam.example,
            seed=self.recipe.seed,
            data=self.data,
            folder=folder.folder,
            keeper=folder,
            on_progress=self.progress.advance,
        )
        began = time.monotonic()
        made = run_stage(stage, work, desk)
        seconds = round(time.monotonic() - began, 2)
        folder.finish(made, {"seconds": seconds, **made.findings, **exam.figures(made)})


def _summary(figures: JsonObject) -> str:
    """One line for people."""
    file = figures.get("file", {})
    accuracy = file.get("accuracy") or figures.get("accuracy")
    parts = [f"{figures['seconds']:.1f} s"]
    parts += [f"{100 * accuracy['value']:.2f} %"] if accuracy else []
    parts += [f"{file['tflite_bytes']} bytes .tflite"] if file else []
    parts += (
        [f"{file['container_bytes']} bytes .tflite.edge"] if file.get("container_bytes") else []
    )
    return ", ".join(parts)
