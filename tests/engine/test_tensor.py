from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_runtime.engine.tensor import (
    Tensor,
    byte_writer,
    dequantize,
    quantize,
    quantize_value,
)
from edge_runtime.errors import ModelRejected

INTEGERS = ("int8", "uint8", "int16")


def tensor(dtype: str, scale: float | None = None, zero_point: int | None = None) -> Tensor:
    return Tensor("x", (1, 2, 2, 1), np.dtype(dtype), scale, zero_point)


@st.composite
def quantized_tensors(draw: st.DrawFn) -> Tensor:
    dtype = draw(st.sampled_from(INTEGERS))
    limits = np.iinfo(dtype)
    return tensor(
        dtype,
        float(np.float32(draw(st.floats(1e-5, 1e3)))),
        draw(st.integers(int(limits.min), int(limits.max))),
    )


@given(quantized_tensors())
def test_every_stored_number_survives_the_way_to_real_and_back(what: Tensor) -> None:
    limits = np.iinfo(what.dtype)
    stored = np.arange(limits.min, limits.max + 1).astype(what.dtype)
    assert np.array_equal(quantize(dequantize(stored, what), what), stored)


@given(quantized_tensors(), st.floats(-1e4, 1e4))
def test_error_is_at_most_half_a_step_inside_the_range(what: Tensor, real: float) -> None:
    limits = np.iinfo(what.dtype)
    low, high = dequantize(np.array([limits.min, limits.max], what.dtype), what)
    back = float(dequantize(quantize([real], what), what)[0])
    inside = min(max(real, float(low)), float(high))
    assert what.scale is not None
    assert abs(back - inside) <= what.scale * 0.5001 + 1e-6 * abs(inside)


@given(quantized_tensors(), st.floats(-50, 50))
def test_comparing_stored_numbers_is_comparing_reals(what: Tensor, threshold: float) -> None:
    limits = np.iinfo(what.dtype)
    stored = np.arange(limits.min, limits.max + 1).astype(what.dtype)
    assert what.scale is not None
    assert what.zero_point is not None
    exact = (stored.astype(np.float64) - what.zero_point) * what.scale
    sure = np.abs(exact - threshold) > 1e-9 * max(1.0, abs(threshold))
    passed = stored >= quantize_value(threshold, what)
    assert np.array_equal(passed[sure], (exact >= threshold)[sure])


def test_halves_round_away_from_zero_as_tflite_does() -> None:
    what = tensor("int8", 1.0, 0)
    assert quantize([0.5, 1.5, -0.5, -1.5, 2.4], what).tolist() == [1, 2, -1, -2, 2]


def test_ends_are_cut_off() -> None:
    assert quantize([1e9, -1e9], tensor("int8", 1.0, 0)).tolist() == [127, -128]


def test_int32_keeps_its_low_bits() -> None:
    bias = tensor("int32", 1.0, 0)
    stored = np.array([2**30 + 1, -(2**30) - 1], np.int32)
    assert dequantize(stored, bias).dtype == np.float32
    assert quantize(stored.astype(np.float64), bias).tolist() == stored.tolist()


def test_per_channel_scales_run_along_their_axis() -> None:
    what = Tensor("w", (2, 3), np.dtype(np.int8), scales=(1.0, 2.0), zero_points=(0, 1), axis=0)
    stored = np.array([[1, 2, 3], [1, 2, 3]], np.int8)
    real = dequantize(stored, what)
    assert real.tolist() == [[1, 2, 3], [0, 2, 4]]
    assert np.array_equal(quantize(real, what), stored)


@pytest.mark.parametrize("dtype", ["float32", "float16", "bool", "int32", "uint8"])
def test_without_a_scale_numbers_are_reals(dtype: str) -> None:
    what = tensor(dtype)
    stored = np.array([0, 1, 1], dtype)
    assert dequantize(stored, what).tolist() == [0.0, 1.0, 1.0]
    assert quantize([0, 1, 1], what).dtype == np.dtype(dtype)


def test_float32_is_not_copied() -> None:
    stored = np.zeros(3, np.float32)
    assert dequantize(stored, tensor("float32")) is stored


@pytest.mark.parametrize(
    ("what", "scale", "offset"),
    [
        (tensor("int8", 1.0, -128), 1.0, 0.0),
        (tensor("int8", float(np.float32(1 / 255)), -128), 1 / 255, 0.0),
        (tensor("int8", 2.0, -128), 1.0, 0.0),
        (tensor("int8", float(np.float32(1 / 127.5)), 0), 1 / 127.5, -1.0),
        (tensor("uint8", 1.0, 0), 1.0, 0.0),
        (tensor("uint8"), 1.0, 0.0),
        (tensor("uint8", 0.5, 0), 0.5, 0.0),
        (tensor("int16", float(np.float32(1 / 32768)), 0), 1 / 256, 0.0),
        (tensor("float32"), 1 / 127.5, -1.0),
        (tensor("float16"), 1 / 255, 0.0),
    ],
)
def test_writing_bytes_is_scaling_then_quantizing(
    what: Tensor, scale: float, offset: float
) -> None:
    pixels = np.arange(256, dtype=np.uint8).reshape(16, 16)
    out = np.zeros((1, 16, 16, 1), what.dtype)
    byte_writer(what, scale=scale, offset=offset)(pixels, out)
    assert np.array_equal(out[0, :, :, 0], quantize(pixels * scale + offset, what))


def test_colour_is_written_channel_by_channel() -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (4, 5, 3), np.uint8)
    out = np.zeros((1, 4, 5, 3), np.int8)
    byte_writer(tensor("int8", 1.0, -128))(pixels, out)
    assert np.array_equal(out[0].astype(int), pixels.astype(int) - 128)


def test_rows_with_gaps_are_written_right() -> None:
    wide = np.random.default_rng(2).integers(0, 256, (8, 20), np.uint8)
    for what in (tensor("int8", 1.0, -128), tensor("uint8", 1.0, 0), tensor("float32")):
        out = np.zeros((1, 8, 8, 1), what.dtype)
        byte_writer(what)(wide[:, 3:11], out)
        assert np.array_equal(dequantize(out, what)[0, :, :, 0], wide[:, 3:11])


def test_forgotten_scale_is_refused_with_both_ranges() -> None:
    with pytest.raises(ModelRejected, match=r"holds 0 to 1, .* would be 0 to 255"):
        byte_writer(tensor("int8", 1 / 255, -128))


def test_wrong_size_is_refused() -> None:
    with pytest.raises(ValueError, match="reshape"):
        byte_writer(tensor("float64"))(np.zeros((3, 3), np.uint8), np.zeros((1, 4, 4, 1)))


def test_limits_are_those_of_the_stored_integers() -> None:
    assert tensor("int8", 0.5, -128).limits == (0.0, 127.5)
    assert tensor("uint8", 1 / 256, 0).limits == (0.0, 255 / 256)
    assert tensor("float32").limits is None
    assert tensor("uint8").limits is None


def test_description_reads_well() -> None:
    assert str(tensor("int8", 0.5, -3)) == "int8 1x2x2x1 (scale 0.5, zero point -3)"
    assert str(tensor("float32")) == "float32 1x2x2x1"
