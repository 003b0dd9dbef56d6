"""Takes out of a .tflite what no interpreter needs: names, metadata, all that is stored twice.

In a model of 30 KB of weights the bookkeeping weighs as much again: every channel's zero point is
8 bytes of zeros, once for the filter and once for the bias. Equal vectors are written once and
pointed at.
"""

from __future__ import annotations

from typing import Any

import flatbuffers  # type: ignore[import-untyped]
import numpy as np
from ai_edge_litert import schema_py_generated as schema

IDENTIFIER = b"TFL3"


class SharingBuilder(flatbuffers.Builder):
    """A flatbuffer builder that writes equal vectors of numbers and equal tables once."""

    def __init__(self) -> None:
        super().__init__(1024)
        self._written: dict[Any, int] = {}
        self._before, self._width, self._plain = 0, 0, True
        self._fields: list[tuple[Any, ...]] = []

    def StartVector(self, elemSize: int, numElems: int, alignment: int) -> int:
        """Remember where the vector begins, to take it back if it is known already."""
        self._before, self._width, self._plain = self.Offset(), elemSize, True
        return int(super().StartVector(elemSize, numElems, alignment))

    def PrependUOffsetTRelative(self, off: int) -> None:
        """Offsets are relative to where they stand, so a vector of them cannot be shared."""
        self._plain = False
        super().PrependUOffsetTRelative(off)

    def EndVector(self, *args: Any) -> int:
        """Write the length; or rewind and hand out the earlier copy."""
        count = self.vectorNumElems
        offset = int(super().EndVector(*args))
        head = int(self.Head())
        key = bytes(self.Bytes[head : head + 4 + self._width * count])
        return self._once((self._width, key), offset) if self._plain else offset

    def StartObject(self, numfields: int) -> None:
        """Remember where the table begins."""
        self._before, self._fields = self.Offset(), [(numfields,)]
        super().StartObject(numfields)

    def PrependSlot(self, flags: Any, o: int, x: Any, d: Any) -> None:
        """A number of the table."""
        if x != d:  # defaults are not written, and differ between kinds of tables
            self._fields.append((o, x, flags.bytewidth))
        super().PrependSlot(flags, o, x, d)

    def PrependUOffsetTRelativeSlot(self, o: int, x: int, d: int) -> None:
        """A reference of the table, known by where it points."""
        if x != d:
            self._fields.append((o, x, "reference"))
        super().PrependUOffsetTRelativeSlot(o, x, d)

    def EndObject(self) -> int:
        """Write the table; or rewind and hand out the earlier one with the same fields."""
        before, key = self._before, tuple(self._fields)
        if key in self._written:
            self.head, self.nested, self.current_vtable = len(self.Bytes) - before, False, None
            return self._written[key]
        return self._once(key, int(super().EndObject()))

    def _once(self, key: Any, offset: int) -> int:
        if key not in self._written:
            self._written[key] = offset
            return offset
        self.head = len(self.Bytes) - self._before
        return self._written[key]


def pack(model: schema.ModelT) -> bytes:
    """A model as the bytes of a .tflite, equal vectors shared."""
    builder = SharingBuilder()
    builder.Finish(model.Pack(builder), IDENTIFIER)
    return bytes(builder.Output())


def slim(model_bytes: bytes) -> bytes:
    """The same model without names, metadata, signatures, unused buffers and repeated vectors."""
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(model_bytes, 0))
    model.description, model.metadata, model.metadataBuffer, model.signatureDefs = (
        None,
        None,
        None,
        None,
    )
    for subgraph in model.subgraphs:
        subgraph.name = None
        for tensor in subgraph.tensors:
            _strip(tensor)
    _merge_buffers(model, model_bytes)
    return pack(model)


def _strip(tensor: Any) -> None:
    tensor.name, tensor.shapeSignature = None, None
    if tensor.quantization is not None:
        tensor.quantization.min, tensor.quantization.max = None, None


def _merge_buffers(model: Any, model_bytes: bytes) -> None:
    """Number equal buffers alike and drop those no tensor uses; buffer 0 stays the empty one."""
    numbers: dict[bytes, int] = {b"": 0}
    for subgraph in model.subgraphs:
        for tensor in subgraph.tensors:
            content = _content(model.buffers[tensor.buffer], model_bytes)
            tensor.buffer = numbers.setdefault(content, len(numbers))
    model.buffers = [filled_buffer(content) for content in numbers]


def _content(buffer: Any, model_bytes: bytes) -> bytes:
    """A buffer's bytes; large ones lie behind the flatbuffer, known by offset and size only."""
    if buffer.size:
        return model_bytes[buffer.offset : buffer.offset + buffer.size]
    return b"" if buffer.data is None else bytes(buffer.data)


def filled_buffer(content: bytes) -> Any:
    """A buffer that holds the content, or nothing."""
    buffer = schema.BufferT()
    buffer.data = np.frombuffer(content, np.uint8) if content else None
    return buffer
