"""The choice, with engines whose runs take what the test says; no clock, no interpreter."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from edge_runtime.bench.tune import LEAST_RUNS, ROUNDS, Trial, setups_of, tune
from edge_runtime.engine.engine import Engine
from edge_runtime.engine.fake import FakeEngine
from edge_runtime.engine.tensor import Tensor
from edge_runtime.errors import ModelRejected
from edge_runtime.store.model import Model, load_model
from edge_runtime.store.variant import Variant
from tests.store.shelf import classifier, put

INPUT = Tensor("image", (1, 8, 8, 1), np.dtype(np.float32))
OUTPUT = Tensor("probabilities", (1, 2), np.dtype(np.float32))
SURE, LESS_SURE, UNSURE = ([[0.1, 0.9]], [[0.105, 0.895]], [[0.5, 0.5]])

Cost = Callable[[int, bool], float]
"""Threads and XNNPACK to milliseconds."""


class Timed(FakeEngine):
    """Each run takes the time it is told to."""

    def __init__(self, says: npt.ArrayLike, ms: float) -> None:
        output = replace(OUTPUT, shape=np.shape(says))
        super().__init__([INPUT], [output], answer=lambda _: [np.array(says, np.float32)])
        self._ms = ms
        self.runs = 0

    def invoke(self) -> None:
        super().invoke()
        self.invoke_s = self._ms / 1000
        self.runs += 1


class Bench:
    """Opens variants by name: what each says and takes, or why it does not run."""

    def __init__(self, **ways: tuple[npt.ArrayLike, Cost] | str) -> None:
        self._ways = ways
        self.opened: list[tuple[str, int, bool]] = []
        self.engines: list[Timed] = []

    def __call__(self, model: Model, threads: int, xnnpack: bool) -> Engine:
        name = model.manifest.model.removesuffix(".tflite")
        self.opened.append((name, threads, xnnpack))
        way = self._ways[name]
        if isinstance(way, str):
            raise ModelRejected(way)
        self.engines.append(Timed(way[0], way[1](threads, xnnpack)))
        return self.engines[-1]


@pytest.fixture
def mood(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Model]:
    """A model with variants by name to accuracy; ``model`` is its own. Their files are not read."""

    def as_variant(model: Model, variant: Variant) -> Model:
        return replace(model, manifest=model.manifest.of_variant(variant))

    def made(**accuracies: float | None) -> Model:
        model = load_model(put(tmp_path / "mood", classifier()))
        variants = tuple(
            Variant(
                name,
                f"{name}.tflite",
                model.sha256 if name == "model" else f"{number:064x}",
                "int8",
                accuracy,
            )
            for number, (name, accuracy) in enumerate(accuracies.items())
        )
        return replace(model, manifest=replace(model.manifest, variants=variants))

    monkeypatch.setattr(Model, "as_variant", as_variant)
    return made


def measured(model: Model, bench: Bench, *, cores: int = 1, max_loss: float = 0.01) -> list[Trial]:
    return list(tune(model, cores=cores, runs=20, max_loss=max_loss, open_engine=bench))


def names(trials: list[Trial]) -> list[tuple[str, int, bool]]:
    return [(each.way.variant.name, each.way.threads, each.way.xnnpack) for each in trials]


def test_fastest_way_of_one_model_comes_first(mood: Callable[..., Model]) -> None:
    # As on a small model: threads cost more than they save, XNNPACK is worth it.
    bench = Bench(model=(SURE, lambda threads, xnnpack: threads + (0 if xnnpack else 10)))
    trials = measured(mood(model=None), bench, cores=2)
    assert names(trials) == [
        ("model", 1, True),
        ("model", 2, True),
        ("model", 1, False),
        ("model", 2, False),
    ]
    assert [each.invoke_ms and each.invoke_ms.median for each in trials] == [1, 2, 11, 12]
    assert [each.invoke_ms and each.invoke_ms.runs for each in trials] == [20] * 4


def test_no_more_threads_than_cores_and_never_more_than_four(mood: Callable[..., Model]) -> None:
    bench = Bench(model=(SURE, lambda threads, _: threads))
    trials = measured(mood(model=None), bench, cores=16)
    assert {each.way.threads for each in trials} == {1, 2, 3, 4}


def test_rounds_are_interleaved_each_second_one_backwards(mood: Callable[..., Model]) -> None:
    bench = Bench(model=(SURE, lambda *_: 1.0))
    measured(mood(model=None), bench)
    there = [("model", 1, True), ("model", 1, False)]
    assert bench.opened == there + there[::-1] + there + there[::-1] + there


def test_written_accuracy_decides(mood: Callable[..., Model]) -> None:
    bench = Bench(
        model=(SURE, lambda *_: 4.0), near=(UNSURE, lambda *_: 2.0), far=(SURE, lambda *_: 1.0)
    )
    trials = measured(mood(model=0.95, near=0.945, far=0.90), bench)
    assert names(trials)[0] == ("near", 1, True)
    allowed = {each.way.variant.name: each.allowed for each in trials}
    assert allowed == {"model": True, "near": True, "far": False}
    assert trials[0].loss is not None
    assert trials[0].loss.share == pytest.approx(0.005)
    assert trials[0].loss.source == "manifest"


def test_larger_loss_may_be_allowed(mood: Callable[..., Model]) -> None:
    bench = Bench(model=(SURE, lambda *_: 4.0), far=(SURE, lambda *_: 1.0))
    trials = measured(mood(model=0.95, far=0.90), bench, max_loss=0.06)
    assert names(trials)[0] == ("far", 1, True)


def test_without_accuracy_the_answers_are_compared(mood: Callable[..., Model]) -> None:
    bench = Bench(
        model=(SURE, lambda *_: 4.0),
        near=(LESS_SURE, lambda *_: 2.0),
        far=(UNSURE, lambda *_: 1.0),
    )
    trials = measured(mood(model=0.95, near=None, far=None), bench)
    losses = {each.way.variant.name: each.loss for each in trials}
    assert names(trials)[0] == ("near", 1, True)
    assert losses["near"] is not None
    assert losses["far"] is not None
    assert losses["near"].share == pytest.approx(0.005, abs=1e-6)
    assert losses["far"].share == pytest.approx(0.4, abs=1e-6)
    assert {each.allowed for each in trials if each.way.variant.name == "far"} == {False}


def test_way_that_cannot_run_is_told_and_the_others_go_on(mood: Callable[..., Model]) -> None:
    bench = Bench(model=(SURE, lambda *_: 4.0), odd="litert cannot load odd.tflite: FOO")
    trials = measured(mood(model=0.9, odd=0.9), bench)
    assert names(trials)[:2] == [("model", 1, True), ("model", 1, False)]
    assert {each.problem for each in trials[2:]} == {"litert cannot load odd.tflite: FOO"}
    assert bench.opened.count(("odd", 1, True)) == 1
    assert {each.variant for each in setups_of(trials)} == {"model"}


def test_variant_with_other_outputs_is_never_chosen(mood: Callable[..., Model]) -> None:
    bench = Bench(model=(SURE, lambda *_: 4.0), odd=([[0.1, 0.2, 0.7]], lambda *_: 1.0))
    trials = measured(mood(model=0.9, odd=0.9), bench)
    assert names(trials)[0] == ("model", 1, True)
    assert "variant odd of mood has other outputs than model.tflite" in str(trials[-1].problem)


def test_model_that_runs_in_no_way_is_an_error(mood: Callable[..., Model]) -> None:
    with pytest.raises(ModelRejected, match=r"mood runs in no way .*: it is broken"):
        measured(mood(model=None), Bench(model="it is broken"))


def test_slow_ways_are_not_waited_for(mood: Callable[..., Model]) -> None:
    bench = Bench(model=(SURE, lambda _, xnnpack: 1.0 if xnnpack else 9000.0))
    slow = measured(mood(model=None), bench)[-1]
    assert slow.invoke_ms is not None
    assert slow.invoke_ms.runs == LEAST_RUNS * ROUNDS
    golden = 5
    assert max(each.runs for each in bench.engines[1:3]) <= golden + 2 * LEAST_RUNS
