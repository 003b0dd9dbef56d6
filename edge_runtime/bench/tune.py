"""Which variant of a model, on how many threads, with which kernels, is fastest on this machine.

Every way is measured in several short rounds, one way after the other and each second round
backwards, so that a machine that grows warm or busy meanwhile slows all of them alike.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from edge_runtime.bench.agreement import Answers, disagreement, golden_answers
from edge_runtime.bench.latency import WARM_UP, fill_with_noise
from edge_runtime.bench.timing import Spread, spread_of
from edge_runtime.engine.engine import Engine
from edge_runtime.errors import ModelError, ModelRejected
from edge_runtime.store.model import Model
from edge_runtime.store.tuning import Setup
from edge_runtime.store.variant import Variant
from edge_runtime.types import JsonObject

ROUNDS: Final = 5
MOST_THREADS: Final = 4
"""More than a Raspberry Pi has cores, no interpreter is worth."""

LEAST_RUNS: Final = 3
LONGEST_MS: Final = 500.0
"""No round goes on longer than this beyond ``LEAST_RUNS``: what is so slow is not chosen anyway."""

MAX_LOSS: Final = 0.01
"""One answer in a hundred."""


Open = Callable[[Model, int, bool], Engine]
"""Model, threads and whether with XNNPACK, to the model in an interpreter."""


class Way(NamedTuple):
    """One way to run a model."""

    variant: Variant
    threads: int
    xnnpack: bool


class Loss(NamedTuple):
    """What a variant loses against the model its folder names."""

    share: float
    """0 to 1; below 0 it is better."""
    source: str
    """``manifest``: of the accuracy written there; ``golden``: of the answers compared here."""


@dataclass(frozen=True, slots=True)
class Trial:
    """A way and what came of it."""

    way: Way
    loss: Loss | None
    invoke_ms: Spread | None
    problem: str | None
    """Why there are no figures."""
    allowed: bool
    """Whether it ran and loses no more than was allowed."""

    def as_json(self) -> JsonObject:
        return {
            "variant": self.way.variant.name,
            "precision": self.way.variant.precision,
            "threads": self.way.threads,
            "xnnpack": self.way.xnnpack,
            "invoke_ms": self.invoke_ms and self.invoke_ms.as_json(),
            "loss": self.loss and round(self.loss.share, 5),
            "loss_from": self.loss and self.loss.source,
            "allowed": self.allowed,
            "problem": self.problem,
        }


def tune(
    model: Model, *, cores: int, runs: int, max_loss: float, open_engine: Open
) -> tuple[Trial, ...]:
    """Every way, measured about ``runs`` times; the fastest of those allowed comes first.

    A way that cannot run does not keep the others from being measured. Raises ModelRejected when
    no way at all may be used, with what is wrong with the first.
    """
    tuning = _Tuning(model, max_loss, open_engine)
    trials = sorted(tuning.trials(min(cores, MOST_THREADS), math.ceil(runs / ROUNDS)), key=_rank)
    if not trials[0].allowed:
        raise ModelRejected(
            f"model {model.manifest.name} runs in no way within the allowed loss: "
            f"{trials[0].problem or 'give a larger --max-loss'}"
        )
    return tuple(trials)


def setups_of(trials: Sequence[Trial]) -> tuple[Setup, ...]:
    """What may be used, as it is remembered; the fastest first."""
    return tuple(
        Setup(
            variant=trial.way.variant.name,
            sha256=trial.way.variant.sha256,
            threads=trial.way.threads,
            xnnpack=trial.way.xnnpack,
            median_ms=round(trial.invoke_ms.median, 4),
        )
        for trial in trials
        if trial.allowed and trial.invoke_ms is not None
    )


class _Tuning:
    """The measurement of one model, under way."""

    def __init__(self, model: Model, max_loss: float, open_engine: Open) -> None:
        self._model, self._max_loss, self._open = model, max_loss, open_engine
        self._problems: dict[Way, str] = {}
        self._models: dict[Variant, Model] = {}
        self._answers: dict[Variant, Answers] = {}

    def trials(self, most_threads: int, runs: int) -> list[Trial]:
        ways = [
            Way(*way)
            for way in itertools.product(
                self._model.manifest.offers, range(1, most_threads + 1), (True, False)
            )
        ]
        took_ms: dict[Way, list[float]] = {way: [] for way in ways}
        for number in range(ROUNDS):
            for way in ways if number % 2 == 0 else reversed(ways):
                took_ms[way] += self._round(way, runs)
        return [self._judged(way, took_ms[way]) for way in ways]

    def _round(self, way: Way, runs: int) -> list[float]:
        """Milliseconds of so many runs; none once a way turned out not to run."""
        if way in self._problems:
            return []
        try:
            with self._open(self._loaded(way.variant), way.threads, way.xnnpack) as engine:
                if way.variant not in self._answers:
                    self._learn(way.variant, engine)
                return _invoked(engine, runs)
        except ModelError as error:
            self._problems[way] = str(error)
            return []

    def _learn(self, variant: Variant, engine: Engine) -> None:
        """Keep a variant's answers. Raises ModelRejected when they are of other shapes."""
        manifest = self._model.manifest
        answers = golden_answers(engine, manifest)
        own = self._answers.get(manifest.offers[0], answers)
        if [each.shape for each in answers] != [each.shape for each in own]:
            raise ModelRejected(
                f"variant {variant.name} of {manifest.name} has other outputs than "
                f"{manifest.model}: expected the same network in other numbers"
            )
        self._answers[variant] = answers

    def _loaded(self, variant: Variant) -> Model:
        if variant not in self._models:
            self._models[variant] = self._model.as_variant(variant)
        return self._models[variant]

    def _judged(self, way: Way, took_ms: list[float]) -> Trial:
        problem = self._problems.get(way)
        loss = self._loss(way.variant)
        if problem is not None or loss is None:
            return Trial(way, loss, None, problem or "there is nothing to compare it with", False)
        return Trial(way, loss, spread_of(took_ms), None, loss.share <= self._max_loss)

    def _loss(self, variant: Variant) -> Loss | None:
        """None for a variant that never ran, or when the model it is compared with never did."""
        own = self._model.manifest.offers[0]
        if own.accuracy is not None and variant.accuracy is not None:
            return Loss(own.accuracy - variant.accuracy, "manifest")
        if own not in self._answers or variant not in self._answers:
            return None
        mine, theirs = self._answers[own], self._answers[variant]
        return Loss(disagreement(mine, theirs, self._model.manifest), "golden")


def _invoked(engine: Engine, runs: int) -> list[float]:
    """Milliseconds of each run after the warm-up."""
    fill_with_noise(engine)
    _repeated(engine, WARM_UP)
    return _repeated(engine, runs)


def _repeated(engine: Engine, runs: int) -> list[float]:
    took_ms: list[float] = []
    while len(took_ms) < runs and (len(took_ms) < LEAST_RUNS or sum(took_ms) < LONGEST_MS):
        engine.invoke()
        took_ms.append(engine.invoke_s * 1000)
    return took_ms


def _rank(trial: Trial) -> tuple[bool, float]:
    """What may be used first, then by time; what did not run last."""
    return not trial.allowed, trial.invoke_ms.median if trial.invoke_ms else math.inf
