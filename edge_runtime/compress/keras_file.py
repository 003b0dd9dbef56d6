"""A Keras file as a float32 .tflite.

Keras 3 runs on torch, where a model is a torch module; litert-torch converts that as it stands.
Keras keeps channels last like TFLite, so nothing has to be turned.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import torch

from edge_runtime.compress.converter import converted
from edge_runtime.errors import DataMissing, LayerUnsuited, LibraryMissing


def keras_tflite(file: Path) -> bytes:
    """The model of a ``.keras`` file, for one input at a time.

    Raises LibraryMissing without Keras 3 on torch, DataMissing for a file that it cannot load and
    LayerUnsuited for a model of several inputs, of free sizes or of layers without an operator.
    """
    keras = _library(file)
    try:
        model = keras.saving.load_model(file, compile=False)
    except (OSError, TypeError, ValueError) as error:
        reason = str(error).strip().splitlines()[0]
        raise DataMissing(
            f"{file} cannot be loaded by Keras {keras.__version__}: {reason}"
        ) from None
    shape = model.input_shape
    if not isinstance(shape, tuple) or None in shape[1:]:
        raise LayerUnsuited(f"{file} takes {shape}: expected one input of fixed size")
    return converted(model, torch.zeros(1, *shape[1:]))


def _library(file: Path) -> Any:
    # Keras chooses what it runs on while it is imported, by this variable and nothing else.
    os.environ.setdefault("KERAS_BACKEND", "torch")
    try:
        import keras
    except ImportError as error:
        raise LibraryMissing(
            f"{file} is a Keras model, which needs Keras 3: pip install 'edge-runtime[formats]' "
            f"({error})"
        ) from None
    if keras.backend.backend() != "torch":
        raise LibraryMissing(
            f"{file} needs Keras on torch, but Keras runs on {keras.backend.backend()}: set "
            "KERAS_BACKEND=torch"
        )
    return keras
