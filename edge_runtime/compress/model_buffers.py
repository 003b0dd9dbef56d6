"""Where a .tflite keeps its constants."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from edge_runtime.engine.flatbuffer import Bytes, Table
from edge_runtime.engine.graph import BITS
from edge_runtime.engine.schema import read_graph

# Slots: Model.buffers; Buffer.data, offset, size.
_BUFFERS: Final = 4
_DATA, _OFFSET, _SIZE = 0, 1, 2
_WIDEST: Final = 4


@dataclass(frozen=True, order=True)
class Stored:
    """One buffer's bytes within the file."""

    start: int
    size: int
    width: int
    """Bytes of one number, as far as they can be told: 1, 2 or 4."""


def stored_buffers(model: bytes) -> tuple[Stored, ...]:
    """The buffers of a model that hold anything, in the order of the file, none over another.

    Raises ModelRejected when the bytes are no sound .tflite.
    """
    graph = read_graph(model, "the model")
    bits = {tensor.buffer: BITS[tensor.type] or 8 for tensor in graph.tensors}
    tables = Table.root(Bytes(model)).tables(_BUFFERS)
    spans = ((_span(table), bits.get(number, 8)) for number, table in enumerate(tables))
    found = sorted(Stored(*span, _width(span[1], width)) for span, width in spans if span)
    return _apart(found)


def _span(table: Table) -> tuple[int, int] | None:
    """First byte and length; very large files keep buffers behind the tables."""
    outside = table.number(_OFFSET, "Q"), table.number(_SIZE, "Q")
    span = outside if outside[0] > 1 else table.span(_DATA, np.uint8)
    return span if span and span[1] else None


def _width(size: int, bits: int) -> int:
    width = min(max(bits // 8, 1), _WIDEST)
    return 1 if size % width else width


def _apart(found: list[Stored]) -> tuple[Stored, ...]:
    """A file may point two buffers at one place: the later one then stays where it is."""
    kept: list[Stored] = []
    for buffer in found:
        if not kept or buffer.start >= kept[-1].start + kept[-1].size:
            kept.append(buffer)
    return tuple(kept)
