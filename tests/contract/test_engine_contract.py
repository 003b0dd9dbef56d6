"""One suite for every engine: both interpreters where they are installed, and the fake."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from edge_runtime.engine.engine import Engine, open_engine
from edge_runtime.engine.litert import PACKAGES, available_backends
from edge_runtime.errors import ConfigError, ModelMissing, ModelRejected

MODELS = Path(__file__).resolve().parent.parent / "engine" / "models"
NAMES = sorted(file.stem for file in MODELS.glob("*.tflite"))


@pytest.fixture(params=[*PACKAGES, "fake"])
def backend(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    if name != "fake" and name not in available_backends():
        pytest.skip(f"{PACKAGES[name]} is not installed")
    return name


@pytest.fixture
def engine(backend: str) -> Iterator[Engine]:
    with open_engine(MODELS / "int8_logits.tflite", backend=backend) as opened:
        yield opened


def fill(engine: Engine, seed: int) -> None:
    random = np.random.default_rng(seed)
    for index, tensor in enumerate(engine.inputs):
        engine.input(index)[...] = random.integers(0, 127, tensor.shape).astype(tensor.dtype)


def answers(engine: Engine) -> list[bytes]:
    return [engine.output(index).tobytes() for index in range(len(engine.outputs))]


def test_says_which_backend_it_is(engine: Engine, backend: str) -> None:
    assert engine.backend == backend


@pytest.mark.parametrize("name", NAMES)
def test_views_have_the_described_shape_and_type(name: str, backend: str) -> None:
    with open_engine(MODELS / f"{name}.tflite", backend=backend) as engine:
        fill(engine, 1)
        engine.invoke()
        for index, tensor in enumerate(engine.inputs):
            view = engine.input(index)
            assert (view.shape, view.dtype) == (tensor.shape, tensor.dtype)
            del view
        for index, tensor in enumerate(engine.outputs):
            view = engine.output(index)
            assert (view.shape, view.dtype) == (tensor.shape, tensor.dtype)


@pytest.mark.parametrize("name", ["int8_softmax", "float_rgb_softmax"])
def test_without_xnnpack_the_answers_are_the_same_but_for_rounding(name: str, backend: str) -> None:
    said = []
    for xnnpack in (True, False):
        path = MODELS / f"{name}.tflite"
        with open_engine(path, xnnpack=xnnpack, backend=backend) as engine:
            fill(engine, 1)
            engine.invoke()
            said.append(np.array(engine.output()).astype(float))
    step = 1 if engine.outputs[0].quantized else 1e-6
    np.testing.assert_allclose(said[0], said[1], rtol=0, atol=step)


def test_quantization_is_the_files(engine: Engine) -> None:
    (picture,), (logits,) = engine.inputs, engine.outputs
    assert (picture.dtype, picture.scale, picture.zero_point) == (np.dtype(np.int8), 1.0, -128)
    assert logits.scale == pytest.approx(0.04)
    assert logits.zero_point == 3


def test_floats_have_no_quantization(backend: str) -> None:
    with open_engine(MODELS / "float_logits.tflite", backend=backend) as engine:
        (picture,) = engine.inputs
        assert (picture.scale, picture.zero_point, picture.quantized) == (None, None, False)


def test_several_outputs_keep_the_files_order(backend: str) -> None:
    with open_engine(MODELS / "two_outputs.tflite", backend=backend) as engine:
        assert [tensor.name for tensor in engine.outputs] == ["scores", "sizes"]
        assert [tensor.shape for tensor in engine.outputs] == [(1, 8, 8, 1), (1, 4, 4, 4)]


@pytest.mark.parametrize("name", NAMES)
def test_same_input_gives_same_output(name: str, backend: str) -> None:
    with open_engine(MODELS / f"{name}.tflite", backend=backend) as engine:
        fill(engine, 1)
        engine.invoke()
        first = answers(engine)
        fill(engine, 1)
        engine.invoke()
        assert answers(engine) == first


def test_what_was_written_is_what_runs(engine: Engine) -> None:
    fill(engine, 1)
    engine.invoke()
    first = answers(engine)
    fill(engine, 2)
    engine.invoke()
    assert answers(engine) != first


def test_input_views_show_the_same_memory(engine: Engine) -> None:
    engine.input()[...] = 7
    assert (engine.input() == 7).all()


def test_wrong_shape_cannot_be_written(engine: Engine) -> None:
    with pytest.raises(ValueError, match="broadcast"):
        engine.input()[...] = np.zeros((1, 9, 8, 1), np.int8)


def test_held_view_refuses_to_run(engine: Engine) -> None:
    held = engine.output()
    with pytest.raises(RuntimeError, match="drop what input"):
        engine.invoke()
    del held
    engine.invoke()


def test_view_outlives_the_engine(engine: Engine) -> None:
    fill(engine, 1)
    engine.invoke()
    held = engine.output()
    before = held.copy()
    engine.close()
    assert np.array_equal(held, before)


def test_close_twice_is_harmless(engine: Engine) -> None:
    engine.close()
    engine.close()


@pytest.mark.parametrize("use", ["input", "invoke", "output"])
def test_use_after_close_is_refused(engine: Engine, use: str) -> None:
    engine.close()
    with pytest.raises(RuntimeError, match="closed"):
        getattr(engine, use)()


def test_invoke_is_timed_by_the_given_clock(backend: str) -> None:
    ticks = iter([10.0, 10.25])
    with open_engine(
        MODELS / "int8_logits.tflite", backend=backend, clock=lambda: next(ticks)
    ) as engine:
        assert engine.invoke_s == 0.0
        engine.invoke()
        assert engine.invoke_s == 0.25


@pytest.mark.parametrize("name", NAMES)
def test_two_threads_say_the_same_as_one(name: str, backend: str) -> None:
    said = []
    for threads in (1, 2):
        with open_engine(MODELS / f"{name}.tflite", threads=threads, backend=backend) as engine:
            fill(engine, 3)
            engine.invoke()
            said.append([engine.output(index).copy() for index in range(len(engine.outputs))])
    for one, two in zip(*said, strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kept", [0, 5, 100, 900, 1423])
def test_truncated_file_is_refused(kept: int, backend: str, tmp_path: Path) -> None:
    path = tmp_path / "cut.tflite"
    path.write_bytes((MODELS / "int8_logits.tflite").read_bytes()[:kept])
    with pytest.raises(ModelRejected, match=r"cut\.tflite"):
        open_engine(path, backend=backend)


def test_missing_file_is_named(backend: str, tmp_path: Path) -> None:
    with pytest.raises(ModelMissing, match=r"nothing\.tflite"):
        open_engine(tmp_path / "nothing.tflite", backend=backend)


def test_folder_is_refused(backend: str, tmp_path: Path) -> None:
    with pytest.raises(ModelRejected, match="cannot be read"):
        open_engine(tmp_path, backend=backend)


def test_no_threads_are_refused(backend: str) -> None:
    with pytest.raises(ConfigError, match="threads is 0"):
        open_engine(MODELS / "int8_logits.tflite", threads=0, backend=backend)
