"""Opens what a recipe starts from: a torch net, an ONNX or Keras file or a float .tflite."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from edge_runtime.compress.checkpoint import Work
from edge_runtime.compress.keras_file import keras_tflite
from edge_runtime.compress.measure import Measure, accuracy
from edge_runtime.compress.onnx_net import onnx_net
from edge_runtime.compress.recipe import DataTable, ModelTable, Recipe, ReportTable
from edge_runtime.compress.samples import Samples, read_arrays
from edge_runtime.errors import ConfigError, DataMissing, LibraryMissing

TENSORFLOW = (".h5", ".pb")


def named_object(name: str) -> Any:
    """What ``module:attribute`` names. Raises ConfigError."""
    module, colon, attribute = name.partition(":")
    if not colon:
        raise ConfigError(f"{name!r} is not module:factory, such as my_nets:small_net")
    try:
        return getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise ConfigError(f"{name!r} cannot be imported: {error}") from error


def open_origin(recipe: Recipe) -> Work:
    """The untouched model. Raises ConfigError, DataMissing or LibraryMissing."""
    source = recipe.model.source
    folder = recipe.file.parent
    if source.endswith(".tflite"):
        return Work(model=_existing(folder / source).read_bytes())
    if source.endswith(".keras"):
        return Work(model=keras_tflite(_existing(folder / source)))
    if source.endswith(".onnx"):
        return Work(net=onnx_net(_existing(folder / source)))
    if source.endswith(TENSORFLOW) or (folder / source / "saved_model.pb").is_file():
        raise LibraryMissing(
            f"{source} is a SavedModel or an old Keras file, whose only converter is TensorFlow's "
            "own: convert it there (tf.lite.TFLiteConverter) to a float .tflite and give that, or "
            "save it as .keras"
        )
    return Work(net=_torch_net(recipe.model, folder, recipe.seed))


def open_samples(table: DataTable | None, model: ModelTable, folder: Path | None) -> Samples | None:
    """The data; None where the recipe has none. Raises DataMissing."""
    if table is None:
        return None
    if folder is None:
        raise DataMissing("the recipe learns from data: name its folder with --data")
    if table.source is not None:
        samples: Samples = named_object(table.source)(folder)
        return samples
    return read_arrays(_existing(folder / str(table.file)), model.input, table.divisor)


def open_measure(table: ReportTable) -> Measure:
    """How answers are judged."""
    if table.measure is None:
        return accuracy
    measure: Measure = named_object(table.measure)
    return measure


def example_of(model: ModelTable, samples: Samples | None) -> Tensor:
    """One input [1, ...] of the right shape. Raises ConfigError when nobody says which."""
    if samples is not None:
        return samples.held()[0][:1]
    if not model.input:
        raise ConfigError("[model] needs input, the shape of one input such as [3, 224, 224]")
    return torch.rand(1, *model.input, generator=torch.Generator().manual_seed(1))


def _torch_net(table: ModelTable, folder: Path, seed: int) -> nn.Module:
    torch.manual_seed(seed)
    net = named_object(table.source)()
    if not isinstance(net, nn.Module):
        raise ConfigError(f"{table.source} made a {type(net).__name__}, expected a torch module")
    if table.weights is not None:
        load_weights(net, _existing(folder / table.weights))
    return net


def load_weights(net: nn.Module, file: Path) -> None:
    """Fill a net from a state_dict. Raises DataMissing when the file is for another net."""
    try:
        net.load_state_dict(torch.load(file, weights_only=True, map_location="cpu"))
    except (RuntimeError, ValueError, KeyError) as error:
        reason = str(error).strip().splitlines()[0]
        raise DataMissing(f"{file} does not fit {type(net).__name__}: {reason}") from error


def _existing(file: Path) -> Path:
    if not file.is_file():
        raise DataMissing(f"there is no file {file}")
    return file
