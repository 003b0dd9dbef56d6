"""Whatever a model holds, its package expands to the same bytes, and is small where it can be."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from edge_runtime.compress.model_buffers import Stored, _apart, stored_buffers
from edge_runtime.compress.pack import every_way, pack
from edge_runtime.compress.sparse import coded_sparsely, relative
from edge_runtime.errors import ModelRejected
from edge_runtime.store.codings import Coding, decode
from edge_runtime.store.package import Limits, expand
from tests.engine.tiny_tflite import MODELS

FLOAT = (MODELS / "float_logits.tflite").read_bytes()
ALL = sorted(path.stem for path in MODELS.glob("*.tflite"))


def with_weights(weights: bytes) -> bytes:
    """The float model, its largest buffer filled with ``weights`` over and over."""
    buffer = max(stored_buffers(FLOAT), key=lambda each: each.size)
    filled = (weights * buffer.size)[: buffer.size]
    return FLOAT[: buffer.start] + filled + FLOAT[buffer.start + buffer.size :]


@pytest.mark.parametrize("name", ALL)
def test_package_expands_to_the_model(name: str) -> None:
    model = (MODELS / f"{name}.tflite").read_bytes()
    package = pack(model)
    assert expand(package) == model
    assert len(package) < len(model)


def test_shipped_models_become_smaller(repository: Path) -> None:
    for file in (repository / "models").glob("*/model.tflite"):
        model = file.read_bytes()
        package = pack(model)
        assert expand(package) == model
        assert len(package) < 0.85 * len(model), file


@settings(max_examples=10)
@given(st.binary(min_size=1, max_size=800))
def test_any_weights_come_back_bit_for_bit(weights: bytes) -> None:
    model = with_weights(weights)
    assert expand(pack(model)) == model


def test_infinities_nans_and_minus_zero_come_back() -> None:
    odd = np.array([0.0, -0.0, np.nan, -np.nan, np.inf, 1e-45], np.float32)
    odd_nan = np.array([0x7FC00001, 0xFFC01234], "<u4")
    model = with_weights(odd.tobytes() + odd_nan.tobytes())
    assert expand(pack(model)) == model


def test_buffers_are_where_the_weights_are() -> None:
    buffers = stored_buffers(FLOAT)
    assert all(np.isfinite(np.frombuffer(FLOAT, "<f4", 4, b.start)).all() for b in buffers)
    assert {buffer.width for buffer in buffers} == {4}
    assert sum(buffer.size for buffer in buffers) < len(FLOAT)


def test_buffers_that_overlap_are_taken_once() -> None:
    found = [Stored(0, 10, 1), Stored(5, 10, 1), Stored(10, 4, 1)]
    assert _apart(found) == (found[0], found[2])


def test_other_files_are_refused() -> None:
    with pytest.raises(ModelRejected, match="TFL3"):
        pack(b"no model at all")


def test_models_beyond_the_decoders_limits_are_refused() -> None:
    with pytest.raises(ModelRejected, match="may expand to 100"):
        pack(FLOAT, limits=Limits(model_bytes=100))


def test_file_that_shrinks_too_well_is_packed_so_that_it_can_be_expanded() -> None:
    limits = Limits(ratio=1)
    assert expand(pack(FLOAT, limits=limits), limits=limits) == FLOAT


@given(st.binary(max_size=2000), st.sampled_from([1, 2, 4]))
def test_every_coding_is_undone(content: bytes, width: int) -> None:
    for coding, payload in every_way(content, width).items():
        assert bytes(decode(coding, memoryview(payload), len(content))) == content


@given(
    arrays.arrays(np.uint32, st.integers(1, 3000), elements=st.sampled_from([0] * 60 + [1, 2**31]))
)
def test_sparse_numbers_are_undone(numbers: np.ndarray) -> None:
    payload = coded_sparsely(numbers)
    assert payload is not None
    found = decode(Coding.SHARED, memoryview(payload), numbers.nbytes)
    assert bytes(found) == numbers.tobytes()


def test_long_distances_are_bridged() -> None:
    values = np.zeros(100, np.uint8)
    values[[3, 60]] = 5, 6
    entries = relative(values, 3)
    assert entries.gaps.tolist() == [3, 7, 7, 7, 7, 7, 7, 7, 0]
    assert entries.values.tolist() == [5, 0, 0, 0, 0, 0, 0, 0, 6]


def test_many_different_values_cannot_be_shared() -> None:
    assert coded_sparsely(np.arange(257, dtype="<u4")) is None
    assert coded_sparsely(np.arange(256, dtype="<u4")) is not None


def test_pruned_and_shared_weights_take_a_few_bits_each() -> None:
    rng = np.random.default_rng(0)
    weights = rng.normal(size=100_000).round(0).astype(np.float32) * (rng.random(100_000) < 0.05)
    weights += 0.0  # minus zero is a value of its own
    payload = coded_sparsely(weights.view("<u4"))
    assert payload is not None
    assert len(payload) < weights.nbytes / 70
