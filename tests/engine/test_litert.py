"""What happens where libraries are missing, too old or do not go together."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from edge_runtime.engine import litert
from edge_runtime.engine.engine import open_engine
from edge_runtime.engine.litert import Library, LitertEngine, available_backends, load_library
from edge_runtime.errors import ConfigError, LibraryMissing, ModelRejected
from tests.engine.tiny_tflite import MODELS

INT8 = MODELS / "int8_logits.tflite"


def install(monkeypatch: pytest.MonkeyPatch, **modules: ModuleType | None) -> None:
    """Pretend that of both interpreter packages only ``modules`` are installed."""
    monkeypatch.setattr(litert, "find_spec", lambda package: modules.get(package))
    for package, module in modules.items():
        if module is not None:
            monkeypatch.setitem(sys.modules, package, module)
            monkeypatch.setitem(sys.modules, f"{package}.interpreter", module)


def package(version: str) -> ModuleType:
    module = ModuleType("package")
    vars(module).update(__version__=version, Interpreter=object, OpResolverType=object)
    return module


def test_without_any_library_the_sentence_says_how_to_get_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    install(monkeypatch)
    assert available_backends() == ()
    with pytest.raises(LibraryMissing) as error:
        open_engine(INT8)
    for part in ("ai_edge_litert", "pip install edge-runtime", "edge-runtime[tflite-runtime]"):
        assert part in str(error.value)


def test_auto_prefers_litert(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, ai_edge_litert=package("2.3.0"), tflite_runtime=package("2.99.0"))
    assert load_library("auto").backend == "litert"


def test_auto_takes_the_one_that_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, tflite_runtime=package("2.99.0"))
    assert load_library("auto").backend == "tflite_runtime"


def test_numpy_2_with_old_tflite_runtime_is_said_before_it_crashes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    install(monkeypatch, tflite_runtime=package("2.14.0"))
    monkeypatch.setattr(np, "__version__", "2.4.6")
    with pytest.raises(
        LibraryMissing, match=r"tflite-runtime 2\.14\.0 needs numpy < 2, found 2\.4"
    ):
        load_library("auto")


def test_numpy_1_with_old_tflite_runtime_is_fine(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, tflite_runtime=package("2.14.0"))
    monkeypatch.setattr(np, "__version__", "1.26.4")
    assert load_library("tflite_runtime").backend == "tflite_runtime"


def test_library_that_cannot_be_imported_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, ai_edge_litert=package("2.3.0"))
    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", None)
    with pytest.raises(LibraryMissing, match="ai_edge_litert is installed but cannot be imported"):
        load_library("auto")


def test_unknown_backend_lists_the_known(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="'onnx' is unknown; expected one of auto, litert"):
        open_engine(INT8, backend="onnx")


class Refusing:
    """An interpreter that does not know an operator, or fails while it runs."""

    def __init__(self, *, model_content: bytes, num_threads: int) -> None:
        self.threads = num_threads

    def allocate_tensors(self) -> None:
        return None

    def get_input_details(self) -> list[dict[str, Any]]:
        return []

    get_output_details = get_input_details

    def invoke(self) -> None:
        raise RuntimeError("Node number 3 (MINE) failed to invoke.\nMore lines.")


class Unbuildable(Refusing):
    def allocate_tensors(self) -> None:
        raise RuntimeError("Encountered unresolved custom op: MINE.\nSee instructions")


def engine_of(interpreter: type) -> LitertEngine:
    return LitertEngine(
        b"", name="m.tflite", library=Library("litert", interpreter), threads=1, clock=lambda: 0.0
    )


def test_unknown_operator_becomes_one_sentence() -> None:
    with pytest.raises(ModelRejected) as error:
        engine_of(Unbuildable)
    assert (
        str(error.value) == "litert cannot load m.tflite: Encountered unresolved custom op: MINE."
    )


def test_failing_run_becomes_one_sentence() -> None:
    with pytest.raises(ModelRejected, match=r"^m\.tflite failed while running: Node number 3.*\.$"):
        engine_of(Refusing).invoke()
