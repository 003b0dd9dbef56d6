"""Run a model on the golden pictures and compare what comes out with what it promises."""

from __future__ import annotations

import hashlib
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

import numpy as np

from edge_runtime.engine.engine import Engine
from edge_runtime.engine.tensor import Array, Pixels, Tensor, Writer, byte_writer, dequantize
from edge_runtime.errors import ModelRejected
from edge_runtime.store.trial.examples import Examples
from edge_runtime.store.trial.golden import golden_pictures
from edge_runtime.store.trial.task import Task
from edge_runtime.types import Clock

RUNS: Final = 30
LEAST_RUNS: Final = 3
LONGEST_S: Final = 1.0
"""Latency is measured no longer than this beyond ``LEAST_RUNS``."""

MOST_OVER_ONE: Final = 0.1
"""How far a probability may lie outside 0 to 1: quantized ones round."""

Interface = tuple[Sequence[Tensor], Sequence[Tensor]]
Step = Callable[[str], None]
"""Told what is done next, such as ``running the picture noise``."""


class Findings(NamedTuple):
    """Milliseconds of the measured runs, and the share of examples it got right."""

    took_ms: list[float]
    accuracy: float | None

    @property
    def median_ms(self) -> float:
        return statistics.median(self.took_ms)

    @property
    def p95_ms(self) -> float:
        ordered = sorted(self.took_ms)
        return ordered[int(0.95 * (len(ordered) - 1))]


def examine(
    engine: Engine,
    declared: Interface,
    task: Task,
    examples: Examples | None = None,
    *,
    step: Step = lambda _: None,
    clock: Clock = time.perf_counter,
) -> Findings:
    """Try a model that was loaded; ``declared`` are the inputs and outputs its file speaks of.

    Raises ModelRejected with the first thing that is not as promised.
    """
    _require_alike(task.name, "input", declared[0], engine.inputs)
    _require_alike(task.name, "output", declared[1], engine.outputs)
    trial = _Trial(engine, task)
    first = _pass(trial, step)
    if first != _pass(trial, step):
        raise ModelRejected(
            f"{task.name} answers the same picture differently when asked again: "
            "it draws random numbers, keeps a state or is damaged"
        )
    step("measuring how long it takes")
    took_ms = _latencies(engine, clock)
    if examples is None:
        return Findings(took_ms, None)
    step("running the examples")
    return Findings(took_ms, _accuracy(trial, examples))


class _Trial:
    """An engine, with what is needed to run a picture and judge the answer."""

    def __init__(self, engine: Engine, task: Task) -> None:
        self.engine, self.task = engine, task
        if [tensor.shape for tensor in engine.inputs] != [task.shape]:
            raise ModelRejected(
                f"{task.name} does not fit its manifest: it takes "
                f"{_listed(engine.inputs)}, expected one picture of "
                f"{task.width}x{task.height} with {task.channels} channel(s)"
            )
        self._write: Writer = byte_writer(engine.inputs[0], scale=task.scale, offset=task.offset)

    def answers(self, pixels: Pixels) -> list[Array]:
        """Copies of all outputs for a picture of the task's size."""
        view = self.engine.input()
        self._write(pixels.reshape(view.shape[1:]), view)
        del view  # the interpreter does not run while a view is held
        self.engine.invoke()
        outputs = range(len(self.engine.outputs))
        return [np.array(self.engine.output(index)) for index in outputs]

    def judged(self, picture: str, pixels: Pixels) -> list[Array]:
        """The answers, when they are what the file and the manifest promise."""
        answers = self.answers(pixels)
        for tensor, answer in zip(self.engine.outputs, answers, strict=True):
            _require_promised(self.task.name, picture, tensor, answer)
        if self.task.labels:
            _require_scores(self.task, picture, self.engine.outputs[0], answers)
        return answers


def _pass(trial: _Trial, step: Step) -> list[str]:
    """A digest of the answers to each golden picture."""
    digests = []
    for picture, pixels in golden_pictures(trial.task.shape):
        step(f"running the picture {picture}")
        answers = trial.judged(picture, pixels)
        digests.append(hashlib.sha256(b"".join(each.tobytes() for each in answers)).hexdigest())
    return digests


def _require_alike(
    name: str, role: str, declared: Sequence[Tensor], found: Sequence[Tensor]
) -> None:
    """The interpreter must have understood the file as we did."""
    pairs = list(zip(declared, found, strict=False))
    same = len(declared) == len(found) and all(
        one.dtype == other.dtype and _fits(other.shape, one.shape) for one, other in pairs
    )
    if not same:
        raise ModelRejected(
            f"{name} is damaged: the file declares the {role} {_listed(declared)}, the "
            f"interpreter makes it {_listed(found)}"
        )


def _require_promised(name: str, picture: str, tensor: Tensor, answer: Array) -> None:
    if answer.dtype != tensor.dtype or not _fits(answer.shape, tensor.shape):
        raise ModelRejected(
            f"{name} answers the picture {picture} with {answer.dtype.name} "
            f"{_sized(answer.shape)}, but declares {tensor}"
        )
    if answer.dtype.kind == "f" and not np.isfinite(answer).all():
        raise ModelRejected(
            f"{name} answers the picture {picture} with numbers that are not finite in "
            f"{tensor.name!r}: it is damaged, or made for other hardware"
        )


def _require_scores(task: Task, picture: str, tensor: Tensor, answers: Sequence[Array]) -> None:
    """As many numbers as labels, or one for two; probabilities where the manifest says so."""
    numbers = answers[0].size if len(answers) == 1 else None
    if numbers != task.labels and (numbers, task.labels) != (1, 2):
        raise ModelRejected(
            f"{task.name} does not fit its labels: there are {task.labels}, but it answers with "
            f"{' and '.join(_sized(answer.shape) for answer in answers)}: correct the labels"
        )
    values = dequantize(answers[0], tensor)
    if task.probabilities and not (
        values.min() > -MOST_OVER_ONE and values.max() < 1 + MOST_OVER_ONE
    ):
        raise ModelRejected(
            f"{task.name} does not fit its manifest, whose activation means probabilities: it "
            f"answers the picture {picture} with {values.min():.3g} to {values.max():.3g}: "
            "set activation to 'logits'"
        )


def _latencies(engine: Engine, clock: Clock) -> list[float]:
    """Milliseconds of each run; what lies in the input does not change the arithmetic."""
    ends = clock() + LONGEST_S
    took_ms: list[float] = []
    while len(took_ms) < LEAST_RUNS or (len(took_ms) < RUNS and clock() < ends):
        engine.invoke()
        took_ms.append(engine.invoke_s * 1000)
    return took_ms


def _accuracy(trial: _Trial, examples: Examples) -> float:
    said = [_label(trial, trial.answers(picture)[0]) for picture in examples.pictures]
    accuracy = float(np.mean(np.array(said) == examples.right))
    if accuracy < examples.least_accuracy:
        raise ModelRejected(
            f"{trial.task.name} gets {accuracy:.1%} of {len(said)} examples right, "
            f"at least {examples.least_accuracy:.1%} are asked for"
        )
    return accuracy


def _label(trial: _Trial, answer: Array) -> int:
    """The place of the likeliest label; one number is the likelihood of the second of two."""
    values = dequantize(answer, trial.engine.outputs[0]).ravel()
    if values.size > 1:
        return int(values.argmax())
    return int(values[0] > (0.5 if trial.task.probabilities else 0.0))


def _fits(shape: tuple[int, ...], declared: tuple[int, ...]) -> bool:
    """Whether a shape is the declared one; -1 is any length, and no lengths mean any shape."""
    return not declared or (
        len(shape) == len(declared)
        and all(wanted in (-1, length) for length, wanted in zip(shape, declared, strict=True))
    )


def _listed(tensors: Sequence[Tensor]) -> str:
    return " and ".join(map(str, tensors)) or "nothing"


def _sized(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape)) or "1"
