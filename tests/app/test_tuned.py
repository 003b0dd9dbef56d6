"""What was measured is used on this board, and nowhere else."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edge_runtime.app.tuned import conditions_here, open_tuned, open_tunings
from edge_runtime.config import Config, load_config
from edge_runtime.engine import litert
from edge_runtime.engine.engine import Engine
from edge_runtime.store.model import Model, load_model
from edge_runtime.store.tuning import Conditions, Setup, Tuned
from tests.engine.tiny_tflite import MODELS
from tests.store.shelf import classifier, put, sha256

LABELS = ["a", "b", "c"]
VARIANTS = {
    "small": {"model": "model.tflite", "sha256": sha256("int8_logits"), "precision": "int8"},
    "bytes": {"model": "b.tflite", "sha256": sha256("uint8_to_float"), "precision": "int8"},
}
SMALL = Setup("small", sha256("int8_logits"), 1, True, 3.0)
BYTES = Setup("bytes", sha256("uint8_to_float"), 2, False, 2.0)

Opened = tuple[str, int, bool]
"""Variant's file, threads, XNNPACK."""


@pytest.fixture
def config(tmp_path: Path) -> Callable[..., Config]:
    def made(**settings: object) -> Config:
        return load_config(None, {}, {"state_dir": str(tmp_path / "state")} | settings)

    return made


@pytest.fixture
def mood(tmp_path: Path) -> Model:
    own = classifier(
        labels=LABELS, activation="logits", sha256=sha256("int8_logits"), variants=VARIANTS
    )
    folder = put(tmp_path / "mood", own, "int8_logits")
    (folder / "b.tflite").write_bytes((MODELS / "uint8_to_float.tflite").read_bytes())
    return load_model(folder)


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[Opened]:
    """How models were opened; they are opened indeed."""
    pytest.importorskip("ai_edge_litert")
    made: list[Opened] = []
    really = Model.open_engine

    def noted(
        self: Model, *, threads: int = 1, backend: str = "auto", xnnpack: bool = True
    ) -> Engine:
        made.append((self.manifest.model, threads, xnnpack))
        return really(self, threads=threads, backend=backend, xnnpack=xnnpack)

    monkeypatch.setattr(Model, "open_engine", noted)
    return made


def remember(config: Config, model: Model, *setups: Setup, **others: Any) -> None:
    conditions = conditions_here(config)._replace(**others)
    open_tunings(config).put(Tuned(model.sha256, conditions, setups))


def test_nothing_measured_means_as_the_settings_say(
    config: Callable[..., Config], mood: Model, opened: list[Opened]
) -> None:
    for settings in ({}, {"engine.threads": 3}):
        _, engine = open_tuned(mood, config(**settings))
        engine.close()
    assert opened == [("model.tflite", 1, True), ("model.tflite", 3, True)]


def test_fastest_variant_runs_and_the_log_says_so(
    config: Callable[..., Config],
    mood: Model,
    opened: list[Opened],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    remember(config(), mood, BYTES, SMALL)
    model, engine = open_tuned(mood, config())
    with engine:
        assert engine.inputs[0].dtype.name == "uint8"
    assert model.sha256 == sha256("uint8_to_float")
    assert opened == [("b.tflite", 2, False)]
    said = "mood runs as measured on this board: bytes on 2 thread(s), without XNNPACK (2.000 ms)"
    assert said in caplog.text


def test_threads_that_a_person_set_count_more(
    config: Callable[..., Config], mood: Model, opened: list[Opened]
) -> None:
    remember(config(), mood, BYTES, SMALL)
    for threads in (1, 3):
        _, engine = open_tuned(mood, config(**{"engine.threads": threads}))
        engine.close()
    # On one thread that was measured; on three nothing was.
    assert opened == [("model.tflite", 1, True), ("model.tflite", 3, True)]


@pytest.mark.parametrize(
    "others", [{"board": "Raspberry Pi 5 Model B"}, {"cores": 99}, {"engine": "litert 9.9.9"}]
)
def test_what_was_measured_elsewhere_is_not_used(
    others: dict[str, Any], config: Callable[..., Config], mood: Model, opened: list[Opened]
) -> None:
    remember(config(), mood, BYTES, **others)
    _, engine = open_tuned(mood, config())
    engine.close()
    assert opened == [("model.tflite", 1, True)]


def test_another_file_of_that_name_is_not_used(
    config: Callable[..., Config], mood: Model, opened: list[Opened]
) -> None:
    remember(config(), mood, replace(BYTES, sha256="0" * 64))
    _, engine = open_tuned(mood, config())
    engine.close()
    assert opened == [("model.tflite", 1, True)]


def test_variant_that_is_gone_is_told_and_the_model_runs(
    config: Callable[..., Config],
    mood: Model,
    opened: list[Opened],
    caplog: pytest.LogCaptureFixture,
) -> None:
    remember(config(), mood, BYTES)
    (mood.folder / "b.tflite").unlink()
    model, engine = open_tuned(mood, config())
    engine.close()
    assert model is mood
    assert opened == [("model.tflite", 1, True)]
    assert "mood: what was measured fastest cannot run: there is no model file" in caplog.text


def test_conditions_name_board_and_library(
    config: Callable[..., Config], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "proc" / "device-tree"
    place.mkdir(parents=True)
    (place / "model").write_bytes(b"Raspberry Pi 3 Model B Plus Rev 1.3\x00")
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 1, 2})
    library = litert.Library("tflite_runtime", object)
    monkeypatch.setattr(litert, "load_library", lambda _: library)
    monkeypatch.setattr(litert, "version", lambda name: {"tflite-runtime": "2.14.0"}[name])
    found = conditions_here(config(), tmp_path)
    assert found == Conditions("Raspberry Pi 3 Model B Plus", 3, "tflite_runtime 2.14.0")
    fake = conditions_here(config(**{"engine.backend": "fake"}), tmp_path)
    assert fake.engine == "fake"
