"""An ONNX file as a torch net, by onnx2torch."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import torch
from torch import nn

from edge_runtime.errors import DataMissing, LayerUnsuited, LibraryMissing

OPSET: Final = 17
"""The newest whose operators onnx2torch 1.5 knows; torch 2.14 writes 20."""


def onnx_net(file: Path) -> nn.Module:
    """The file's net, its weights trainable. Inputs are as the file wants them, channels first.

    Raises LibraryMissing without the converter, DataMissing for a file that is no ONNX, and
    LayerUnsuited for an operator without a torch counterpart or a file for batches of one size.
    """
    onnx2torch = _converter(file)
    model = _model(file)
    try:
        net: nn.Module = onnx2torch.convert(model)
    except NotImplementedError as error:
        raise LayerUnsuited(
            f"{file} has an operator that onnx2torch does not know: {error}"
        ) from None
    _try_batches(net, model, file)
    return net


def _converter(file: Path) -> Any:
    try:
        with _torchvision():
            import onnx2torch
    except ImportError as error:
        raise LibraryMissing(
            f"{file} is ONNX, which needs onnx2torch: pip install 'edge-runtime[formats]' ({error})"
        ) from None
    return onnx2torch


@contextmanager
def _torchvision() -> Iterator[None]:
    """Lets onnx2torch be imported where torchvision cannot be.

    It wants three functions of it, for NonMaxSuppression and RoiAlign alone; and a torchvision that
    was not built for the very torch beside it (2.13.0+cpu, say) fails with a RuntimeError.
    """
    try:
        import torchvision  # noqa: F401
    except (ImportError, RuntimeError):
        absent, ops = ModuleType("torchvision"), ModuleType("torchvision.ops")
        absent.__dict__["ops"] = ops
        ops.__dict__.update(dict.fromkeys(("box_convert", "nms", "roi_align"), _refuse))
        stands_in = {"torchvision": absent, "torchvision.ops": ops}
        before = {name: sys.modules[name] for name in stands_in if name in sys.modules}
        sys.modules.update(stands_in)
        try:
            yield
        finally:
            for name in stands_in:
                del sys.modules[name]
            sys.modules.update(before)
    else:
        yield


def _refuse(*_: Any, **__: Any) -> Any:
    raise LayerUnsuited("this ONNX operator needs the torchvision that was built for your torch")


def _model(file: Path) -> Any:
    """The file in an opset that onnx2torch knows."""
    import onnx
    from google.protobuf.message import DecodeError
    from onnx import version_converter

    try:
        model = onnx.load(str(file))
        newest = max(each.version for each in model.opset_import if not each.domain)
    except (DecodeError, OSError, ValueError) as error:
        raise DataMissing(f"{file} cannot be read as ONNX: {error}") from None
    if newest > OPSET:
        try:
            model = version_converter.convert_version(model, OPSET)
        except (RuntimeError, version_converter.ConvertError) as error:
            raise LayerUnsuited(
                f"{file} is of opset {newest} and cannot be brought to {OPSET}: {error}"
            ) from None
    _plain_reshapes(model)
    return model


def _plain_reshapes(model: Any) -> None:
    """Take off ``allowzero``, which new exporters always write and onnx2torch refuses.

    It only matters where a dimension is 0, and no tensor of a net is empty.
    """
    for node in model.graph.node:
        if node.op_type == "Reshape":
            kept = [each for each in node.attribute if each.name != "allowzero"]
            del node.attribute[:]
            node.attribute.extend(kept)


def _try_batches(net: nn.Module, model: Any, file: Path) -> None:
    """Files may have the batch size they were exported with written into their shapes."""
    taken = model.graph.input[0].type.tensor_type.shape.dim
    sizes = [each.dim_value for each in taken][1:]
    if not all(sizes):
        return  # of free size, so nothing is known to try it with
    trained = net.training
    try:
        with torch.no_grad():
            answers = net.eval()(torch.zeros(3, *sizes))
    except RuntimeError as error:
        raise LayerUnsuited(
            f"{file} takes no batches of 3: export it with a free batch size ({error})"
        ) from None
    finally:
        net.train(trained)
    first = answers if isinstance(answers, torch.Tensor) else answers[0]
    if len(first) != 3:
        raise LayerUnsuited(f"{file} gives {len(first)} answers to 3: export it with a free batch")
