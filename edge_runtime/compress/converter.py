"""Any torch net as a float32 .tflite, by litert-torch."""

from __future__ import annotations

import contextlib
import io
import logging
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path

from torch import Tensor, nn

from edge_runtime.errors import LayerUnsuited


def float_tflite(net: nn.Module, example: Tensor) -> bytes:
    """The net as float32 for inputs shaped like ``example``; pictures go in as NHWC.

    Raises LayerUnsuited with the converter's sentence when it knows no operator for a layer.
    """
    if example.dim() != 4:
        return converted(net, example)
    with _quiet():
        import litert_torch

        module = litert_torch.to_channel_last_io(net.eval(), args=[0])
    return converted(module, example.permute(0, 2, 3, 1).contiguous())


def converted(net: nn.Module, example: Tensor) -> bytes:
    """As ``float_tflite``, with the axes of inputs and outputs as the net has them."""
    with _quiet(), tempfile.TemporaryDirectory() as folder:
        import litert_torch

        file = Path(folder) / "model.tflite"
        try:
            litert_torch.convert(net.eval(), (example,)).export(str(file))
        except (RuntimeError, NotImplementedError, TypeError, ValueError) as error:
            reason = str(error).strip().splitlines()[0] if str(error).strip() else repr(error)
            raise LayerUnsuited(f"litert-torch cannot convert the net: {reason}") from error
        return file.read_bytes()


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """The converter reports every step to stdout and loggers, and uses what torch deprecated."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
