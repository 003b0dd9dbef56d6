"""Writes tiny ONNX files byte by byte, so that tests need neither the onnx package nor a download.

An ONNX file is a protobuf message: fields of (number << 3 | kind), kind 0 a number in base 128,
kind 2 a length and that many bytes. Field numbers are those of onnx.proto3.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray

_TYPES = {"float32": 1, "int64": 7}
_INT, _INTS = 2, 7
"""AttributeProto.AttributeType."""


@dataclass(frozen=True)
class Node:
    """One operator: its results are named after its inputs in the order of the graph."""

    operator: str
    inputs: Sequence[str]
    output: str
    attributes: Mapping[str, int | list[int]] = field(default_factory=dict)


def onnx_bytes(
    nodes: Sequence[Node],
    constants: dict[str, NDArray[Any]],
    *,
    takes: Sequence[int | str],
    gives: Sequence[int | str],
    opset: int,
) -> bytes:
    """A model from input ``x`` to output ``y``, shapes given; a text is an axis of free size."""
    graph = b"".join(_field(1, _node(each)) for each in nodes) + _field(2, b"g")
    graph += b"".join(_field(5, _tensor(name, value)) for name, value in constants.items())
    graph += _field(11, _described("x", takes)) + _field(12, _described("y", gives))
    return _number(1, 8) + _field(7, graph) + _field(8, _number(2, opset))


def _node(node: Node) -> bytes:
    names = b"".join(_field(1, name.encode()) for name in node.inputs)
    names += _field(2, node.output.encode()) + _field(3, node.output.encode())
    attributes = (_field(5, _attribute(*each)) for each in node.attributes.items())
    return names + _field(4, node.operator.encode()) + b"".join(attributes)


def _attribute(name: str, value: int | list[int]) -> bytes:
    if isinstance(value, int):
        return _field(1, name.encode()) + _number(3, value) + _number(20, _INT)
    numbers = b"".join(_number(8, each) for each in value)
    return _field(1, name.encode()) + numbers + _number(20, _INTS)


def _tensor(name: str, value: NDArray[Any]) -> bytes:
    sizes = b"".join(_number(1, size) for size in value.shape)
    kind = _number(2, _TYPES[value.dtype.name])
    return sizes + kind + _field(8, name.encode()) + _field(9, value.tobytes())


def _described(name: str, shape: Sequence[int | str]) -> bytes:
    axes = (_field(2, s.encode()) if isinstance(s, str) else _number(1, s) for s in shape)
    sizes = b"".join(_field(1, axis) for axis in axes)
    tensor = _number(1, _TYPES["float32"]) + _field(2, sizes)
    return _field(1, name.encode()) + _field(2, _field(1, tensor))


def _field(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _number(number: int, value: int) -> bytes:
    return _varint(number << 3) + _varint(value % (1 << 64))


def _varint(value: int) -> bytes:
    low, rest = value & 0x7F, value >> 7
    return bytes([low | 0x80]) + _varint(rest) if rest else bytes([low])
