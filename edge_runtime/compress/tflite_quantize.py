"""Key ``quantize`` for files: a float .tflite becomes float16, 8-bit or 4-bit.

The work is done by ai-edge-quantizer.

What LiteRT 2.3 does with each, seen by running it: float16 weights are expanded when the model is
opened, and computed in float32; 8-bit and 4-bit weights with float activations are computed in
integers, activations being rounded on the way; fully int8 models take and give int8. 2-bit weights
run too, but in reference kernels tens of times slower, so here they are storage only (low_bits.py).
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterable
from typing import Any, Literal, get_args

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

from edge_runtime.compress.slim import slim
from edge_runtime.errors import CompressionError, DataMissing

Precision = Literal["float16", "dynamic-int8", "int8", "int4"]
PRECISIONS: tuple[str, ...] = get_args(Precision)
BITS = {"float16": 16, "dynamic-int8": 8, "int8": 8, "int4": 4}
"""Of a weight."""

Inputs = NDArray[np.float32]
"""One input, in the model's own shape."""

_FLOAT16 = [
    {
        "regex": ".*",
        "operation": "*",
        "algorithm_key": "float_casting",
        "op_config": {
            "weight_tensor_config": {
                "num_bits": 16,
                "symmetric": True,
                "granularity": "TENSORWISE",
                "dtype": "FLOAT",
                "block_size": 0,
            },
            "compute_precision": "FLOAT",
            "explicit_dequantize": True,
            "skip_checks": False,
            "min_weight_elements": 0,
        },
    }
]


def quantize_tflite(model: bytes, to: Precision, calibration: Iterable[Inputs] = ()) -> bytes:
    """A float .tflite at another precision, without names and metadata.

    ``int8`` needs some dozens of real inputs for calibration and raises DataMissing without.
    Weights have one scale per output channel. CompressionError says what the quantizer refused.
    """
    from ai_edge_quantizer import quantizer

    work = quantizer.Quantizer(bytearray(model), _settings(to))
    samples = list(calibration)
    if work.need_calibration and not samples:
        raise DataMissing("static int8 needs inputs to calibrate with: give the recipe [data]")
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            found = _ranges(model, to, samples) if work.need_calibration else None
            made = work.quantize(found).quantized_model
    except (ValueError, RuntimeError) as error:
        raise CompressionError(f"ai-edge-quantizer cannot make {to}: {error}") from error
    return slim(bytes(made))


def _ranges(model: bytes, to: Precision, samples: list[Inputs]) -> Any:
    """The least and largest value of every tensor.

    The quantizer's own way is a moving average, which cuts off what is rare.
    """
    from ai_edge_quantizer import calibrator, recipe_manager
    from ai_edge_quantizer.utils import qsv_utils

    recipe = recipe_manager.RecipeManager()
    recipe.load_quantization_recipe(_settings(to))
    watch = calibrator.Calibrator(
        bytearray(model), num_threads=1, qsv_update_func=qsv_utils.min_max_update
    )
    watch.calibrate(_signature(model, samples), recipe)
    return watch.get_model_qsvs()


def _settings(to: Precision) -> Any:
    from ai_edge_quantizer import recipe

    known = {
        "float16": lambda: _FLOAT16,
        "dynamic-int8": recipe.dynamic_wi8_afp32,
        "int8": recipe.static_wi8_ai8,
        "int4": recipe.dynamic_wi4_afp32,
    }
    return known[to]()


def _signature(model: bytes, samples: list[Inputs]) -> dict[str, list[dict[str, Inputs]]]:
    """The samples as the quantizer wants them: by signature and input name."""
    signatures = Interpreter(model_content=model).get_signature_list()
    if not signatures:
        raise CompressionError(
            "the .tflite has no signature, which calibration needs: export it again with one"
        )
    key, names = next(iter(signatures.items()))
    return {key: [{names["inputs"][0]: sample} for sample in samples]}
