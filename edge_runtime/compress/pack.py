"""Key ``pack``: a .tflite as a ``.tflite.edge`` package, the way that comes out smallest.

The model's buffers are lifted out of its flatbuffer, so that weights are coded with weights and
tables with tables; several ways of sorting them into streams are tried, and for each stream every
coding of ``store/codings.py``. Needs no torch.
"""

from __future__ import annotations

import hashlib
import lzma
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import Final

import numpy as np

from edge_runtime.compress.huffman import coded
from edge_runtime.compress.model_buffers import Stored, stored_buffers
from edge_runtime.compress.numbers import leb128
from edge_runtime.compress.sparse import coded_sparsely
from edge_runtime.errors import ModelRejected
from edge_runtime.store.codings import LZMA_FILTERS, Coding
from edge_runtime.store.package import DEFAULT_LIMITS, MARK, VERSION, Limits

SMALLEST_LIFTED: Final = (64, 256, 1024, 4096)
"""Bytes: buffers below stay with the tables around them."""

_Owner = Callable[[Stored], int]


@dataclass(frozen=True)
class CodedStream:
    """Bytes of a model that are coded together."""

    coding: Coding
    size: int
    payload: bytes

    def described(self) -> bytes:
        return bytes([self.coding]) + leb128(self.size) + leb128(len(self.payload))


@dataclass(frozen=True)
class Plan:
    """Which stream each stretch of the model goes to, in order: (stream, length)."""

    runs: tuple[tuple[int, int], ...]
    widths: tuple[int, ...]
    """For each stream, the bytes of the numbers in it."""

    def within(self, limits: Limits) -> bool:
        return len(self.widths) <= limits.streams and len(self.runs) <= limits.runs


def pack(model: bytes, *, limits: Limits = DEFAULT_LIMITS) -> bytes:
    """A .tflite as a package that ``store.package.expand`` turns back into it, bit for bit.

    ``limits`` are those of the decoder that is to expand it. Raises ModelRejected when the bytes
    are no sound .tflite, or too many for them.
    """
    if len(model) > limits.model_bytes:
        raise ModelRejected(
            f"the model has {len(model)} bytes, but packages may expand to {limits.model_bytes}"
        )
    plans = [plan for plan in _plans(model, stored_buffers(model)) if plan.within(limits)]
    encode = cache(smallest)
    packages = [_written(model, plan, encode) for plan in plans]
    fit = [package for package in packages if len(model) <= limits.ratio * len(package)]
    return min(fit, key=len) if fit else _written(model, plans[0], _unshrunk)


def _plans(model: bytes, buffers: tuple[Stored, ...]) -> list[Plan]:
    """All in one; or buffers of some size by themselves, or together by the width of a number."""
    owners: tuple[_Owner, ...] = (
        lambda buffer: buffer.start,
        lambda buffer: -buffer.width,
        lambda buffer: -1 if buffer.width == 1 else buffer.start,
    )
    plans = {Plan(((0, len(model)),), (1,)): None}
    for least, owner in product(SMALLEST_LIFTED, owners):
        lifted = [buffer for buffer in buffers if buffer.size >= least]
        plans[_plan(len(model), lifted, owner)] = None
    return list(plans)


def _plan(size: int, lifted: list[Stored], owner: _Owner) -> Plan:
    """Stream 0 takes what lies between the lifted buffers."""
    numbers: dict[int, int] = {}
    widths, runs, at = [1], [], 0
    for buffer in lifted:
        number = numbers.setdefault(owner(buffer), len(numbers) + 1)
        widths += [buffer.width] * (number == len(widths))
        runs += [(0, buffer.start - at), (number, buffer.size)]
        at = buffer.start + buffer.size
    runs.append((0, size - at))
    return Plan(tuple(run for run in runs if run[1]), tuple(widths))


def _written(model: bytes, plan: Plan, encode: Callable[[bytes, int], CodedStream]) -> bytes:
    contents = _contents(model, plan)
    streams = [encode(*each) for each in zip(contents, plan.widths, strict=True)]
    head = [MARK, bytes([VERSION]), hashlib.sha256(model).digest(), leb128(len(model))]
    head += [leb128(len(streams)), *(stream.described() for stream in streams)]
    head += [leb128(len(plan.runs)), *(leb128(n) + leb128(length) for n, length in plan.runs)]
    return b"".join([*head, *(stream.payload for stream in streams)])


def _contents(model: bytes, plan: Plan) -> list[bytes]:
    parts: list[list[bytes]] = [[] for _ in plan.widths]
    at = 0
    for number, length in plan.runs:
        parts[number].append(model[at : at + length])
        at += length
    return [b"".join(part) for part in parts]


def smallest(content: bytes, width: int) -> CodedStream:
    """The content, whose numbers have ``width`` bytes, in the coding that makes it smallest."""
    made = [CodedStream(way, len(content), data) for way, data in every_way(content, width).items()]
    return min(made, key=lambda stream: len(stream.payload))


def _unshrunk(content: bytes, _width: int) -> CodedStream:
    """A file that would shrink beyond what a decoder lets expand, such as one of zeros."""
    return CodedStream(Coding.STORED, len(content), content)


def every_way(content: bytes, width: int) -> dict[Coding, bytes]:
    """The content in every coding that can take it."""
    compressor = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    ways = {
        Coding.STORED: content,
        Coding.DEFLATE: compressor.compress(content) + compressor.flush(),
        Coding.LZMA: lzma.compress(content, lzma.FORMAT_RAW, filters=LZMA_FILTERS),
        Coding.HUFFMAN: coded(np.frombuffer(content, np.uint8)),
    }
    if len(content) % width == 0:
        shared = coded_sparsely(np.frombuffer(content, f"<u{width}"))
        ways |= {} if shared is None else {Coding.SHARED: shared}
    return ways
