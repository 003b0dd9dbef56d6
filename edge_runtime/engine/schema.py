"""Read a .tflite file's graph and refuse one whose references do not hold.

Slot numbers follow tensorflow/lite/schema/schema.fbs (file identifier TFL3). What is checked here
is what the C++ interpreter takes for granted while it loads: offsets inside the file here, what
they lead to in ``soundness.py``.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from edge_runtime.engine.flatbuffer import Bytes, FlatbufferDamaged, Table
from edge_runtime.engine.graph import TYPES, Graph, GraphTensor, Operator
from edge_runtime.engine.operators import CUSTOM, OLD_CODES_END, operator_name
from edge_runtime.engine.soundness import check_graph, check_tensor, within
from edge_runtime.errors import ModelRejected

IDENTIFIER: Final = b"TFL3"

# Slots. Model:
_CODES, _SUBGRAPHS, _DESCRIPTION, _BUFFERS, _METADATA, _SIGNATURES = 1, 2, 3, 4, 6, 7
# SubGraph:
_TENSORS, _GRAPH_INPUTS, _GRAPH_OUTPUTS, _OPERATORS, _GRAPH_NAME = 0, 1, 2, 3, 4
# Tensor:
_SHAPE, _TYPE, _BUFFER, _NAME, _QUANTIZATION, _SPARSITY = 0, 1, 2, 3, 4, 6
# QuantizationParameters:
_SCALE, _ZERO_POINT, _AXIS = 2, 3, 6
# Operator:
_OPCODE, _INPUTS, _OUTPUTS, _OPTIONS, _CUSTOM_OPTIONS, _OPTIONS_2 = 0, 1, 2, 4, 5, 12
# Vectors inside operator options, by operator: (slot, dtype).
_OPTION_VECTORS: Final = {"RESHAPE": (0, "<i4"), "SQUEEZE": (0, "<i4")}


def read_graph(content: bytes, name: str) -> Graph:
    """The main graph of a model file's bytes; ``name`` is what the error calls it.

    Raises ModelRejected with what was expected and found.
    """
    if content[4:8] != IDENTIFIER:
        raise ModelRejected(
            f"{name} is no .tflite model: it lacks the mark TFL3 at byte 4"
            + (f" and has only {len(content)} bytes" if len(content) < 8 else "")
        )
    try:
        return _File(content).graph()
    except FlatbufferDamaged as error:
        raise ModelRejected(
            f"{name} is damaged or cut short ({error}): copy it again from where it came"
        ) from None


class _File:
    """The tables of one file while they are being checked."""

    def __init__(self, content: bytes) -> None:
        self._bytes = Bytes(content)
        self._model = Table.root(self._bytes)
        self._operators = [_operator_name(code) for code in self._model.tables(_CODES)]
        self._buffers = [self._stored(buffer) for buffer in self._model.tables(_BUFFERS)]

    def graph(self) -> Graph:
        graphs = [self._subgraph(table) for table in self._model.tables(_SUBGRAPHS)]
        if not graphs:
            raise FlatbufferDamaged("it has no graph")
        self._check_surroundings(graphs)
        return graphs[0]

    def _stored(self, buffer: Table) -> int:
        """How many bytes a buffer holds; very large files keep them behind the tables."""
        data = buffer.numbers(0, np.uint8)
        offset, size = buffer.number(1, "Q"), buffer.number(2, "Q")
        if offset > 1:
            self._bytes.require(offset, size)
            return int(size)
        return 0 if data is None else data.size

    def _subgraph(self, table: Table) -> Graph:
        tensors = tuple(self._tensor(each) for each in table.tables(_TENSORS))
        table.text(_GRAPH_NAME)
        graph = Graph(
            tensors=tensors,
            operators=tuple(self._operator(each) for each in table.tables(_OPERATORS)),
            inputs=_integers(table, _GRAPH_INPUTS),
            outputs=_integers(table, _GRAPH_OUTPUTS),
            file_bytes=self._bytes.size,
        )
        check_graph(graph)
        return graph

    def _tensor(self, table: Table) -> GraphTensor:
        scales, zero_points, axis = _quantization(table.table(_QUANTIZATION))
        buffer = within("buffer", table.number(_BUFFER, "I"), len(self._buffers))
        tensor = GraphTensor(
            name=table.text(_NAME),
            shape=_integers(table, _SHAPE),
            type=TYPES[within("tensor type", table.number(_TYPE, "b"), len(TYPES))],
            scales=scales,
            zero_points=zero_points,
            axis=axis,
            buffer=buffer,
            stored_bytes=self._buffers[buffer],
        )
        check_tensor(tensor, sparse=table.table(_SPARSITY) is not None)
        return tensor

    def _operator(self, table: Table) -> Operator:
        name = self._operators[
            within("operator code", table.number(_OPCODE, "I"), len(self._operators))
        ]
        options = table.table(_OPTIONS)
        table.table(_OPTIONS_2)
        table.numbers(_CUSTOM_OPTIONS, np.uint8)
        if options is not None and name in _OPTION_VECTORS:
            options.numbers(*_OPTION_VECTORS[name])
        transposed = (False, False)
        if options is not None and name == "BATCH_MATMUL":
            transposed = bool(options.number(0, "?")), bool(options.number(1, "?"))
        return Operator(name, _integers(table, _INPUTS), _integers(table, _OUTPUTS), transposed)

    def _check_surroundings(self, graphs: list[Graph]) -> None:
        self._model.text(_DESCRIPTION)
        for metadata in self._model.tables(_METADATA):
            metadata.text(0)
            within("metadata buffer", metadata.number(1, "I"), len(self._buffers))
        for signature in self._model.tables(_SIGNATURES):
            signature.text(2)
            graph = graphs[within("signature's graph", signature.number(4, "I"), len(graphs))]
            for entry in signature.tables(0) + signature.tables(1):
                entry.text(0)
                within("signature's tensor", entry.number(1, "I"), len(graph.tensors))


def _operator_name(code: Table) -> str:
    # Codes beyond 127 did not fit the first field; readers take the larger of the two.
    number = max(code.number(0, "b"), code.number(3, "i"))
    custom = code.text(1)
    if number == CUSTOM:
        return f"CUSTOM:{custom}"
    if number == OLD_CODES_END:
        raise FlatbufferDamaged("an operator code is left open")
    return operator_name(number)


def _quantization(table: Table | None) -> tuple[tuple[float, ...], tuple[int, ...], int]:
    if table is None:
        return (), (), 0
    scales = table.numbers(_SCALE, "<f4")
    zero_points = table.numbers(_ZERO_POINT, "<i8")
    if scales is None or not scales.size:
        return (), (), 0
    zeros = [0] if zero_points is None or not zero_points.size else zero_points.tolist()
    if len(zeros) not in (1, scales.size):
        raise FlatbufferDamaged(f"{scales.size} scales come with {len(zeros)} zero points")
    zeros *= scales.size // len(zeros)
    return tuple(scales.tolist()), tuple(zeros), table.number(_AXIS, "i")


def _integers(table: Table, slot: int) -> tuple[int, ...]:
    values = table.numbers(slot, "<i4")
    return () if values is None else tuple(values.tolist())
