"""What a .tflite says of itself: the entry TFLITE_METADATA, and label files in a zip behind it.

Slot numbers follow metadata_schema.fbs of the TensorFlow Lite Support library (file identifier
M001), https://github.com/tensorflow/tflite-support. Fields that nothing here uses are not read.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from edge_runtime.engine.flatbuffer import Bytes, FlatbufferDamaged, Table
from edge_runtime.errors import ModelRejected
from edge_runtime.store.arrival.archive import read_archive
from edge_runtime.store.arrival.contents import Limits
from edge_runtime.store.arrival.labels import read_labels

ENTRY: Final = "TFLITE_METADATA"
IDENTIFIER: Final = b"M001"
MOST_BYTES: Final = 1 << 20
TAIL: Final = Limits(entries=16, bytes=MOST_BYTES)

# Slots. Model (of the .tflite), Metadata, Buffer:
_BUFFERS, _METADATA, _DATA = 4, 6, 0
_ENTRY_NAME, _ENTRY_BUFFER = 0, 1
# ModelMetadata:
_DESCRIPTION, _VERSION, _SUBGRAPHS, _LICENSE, _FILES = 1, 2, 3, 5, 6
# SubGraphMetadata:
_INPUTS, _OUTPUTS, _GRAPH_FILES = 2, 3, 4
# TensorMetadata, ProcessUnit, NormalizationOptions:
_PROCESS_UNITS, _TENSOR_FILES = 4, 6
_OPTIONS_TYPE, _OPTIONS = 0, 1
_MEAN, _STD = 0, 1
# AssociatedFile:
_FILE_NAME, _FILE_TYPE, _FILE_LOCALE = 0, 2, 3

_NORMALIZATION: Final = 1
"""Of the union ProcessUnitOptions."""
_LABELS: Final = (2, 3)
"""AssociatedFileType TENSOR_AXIS_LABELS and TENSOR_VALUE_LABELS."""
_NEAR: Final = 1e-4


@dataclass(frozen=True, slots=True)
class Metadata:
    """What was found; what was not is empty or None."""

    description: str = ""
    version: str = ""
    licence: str = ""
    scaling: tuple[float, float] | None = None
    """Scale and offset that make the trained range of a picture's bytes."""
    labels: tuple[str, ...] | None = None


def read_metadata(model: bytes, name: str) -> Metadata:
    """What a sound .tflite says of itself; ``name`` is what errors call it.

    Raises ModelRejected or ManifestInvalid.
    """
    try:
        content = _content(model)
        if content is None:
            return Metadata()
        if content[4:8] != IDENTIFIER:
            raise FlatbufferDamaged("it lacks the mark M001 at its byte 4")
        table = Table.root(Bytes(content))
        graph = next(iter(table.tables(_SUBGRAPHS)), None)
        label_file = _label_file(table, graph)
        return Metadata(
            description=table.text(_DESCRIPTION),
            version=table.text(_VERSION),
            licence=table.text(_LICENSE),
            scaling=_scaling(graph, name),
            labels=None if label_file is None else _labels(model, label_file, name),
        )
    except FlatbufferDamaged as error:
        raise ModelRejected(
            f"the metadata in {name} is damaged ({error}): write it anew, or convert without it"
        ) from None


def _content(model: bytes) -> bytes | None:
    """The bytes of the entry; None without one."""
    data = Bytes(model)
    root = Table.root(data)
    numbers = [
        each.number(_ENTRY_BUFFER, "I")
        for each in root.tables(_METADATA)
        if each.text(_ENTRY_NAME) == ENTRY
    ]
    if not numbers:
        return None
    span = root.tables(_BUFFERS)[numbers[0]].span(_DATA, np.uint8)
    if span is None or span[1] > MOST_BYTES:
        size = 0 if span is None else span[1]
        raise FlatbufferDamaged(f"it has {size} bytes, expected 8 to {MOST_BYTES}")
    return model[span[0] : span[0] + span[1]]


def _scaling(graph: Table | None, name: str) -> tuple[float, float] | None:
    """From (byte - mean) / std: scale 1 / std and offset -mean / std."""
    inputs = () if graph is None else graph.tables(_INPUTS)
    for unit in inputs[0].tables(_PROCESS_UNITS) if inputs else ():
        options = unit.table(_OPTIONS)
        if unit.number(_OPTIONS_TYPE, "B") == _NORMALIZATION and options is not None:
            mean, std = _floats(options, _MEAN, 0.0), _floats(options, _STD, 1.0)
            if max(_spread(mean), _spread(std)) > _NEAR:
                raise ModelRejected(
                    f"{name} was trained with another normalization for each channel (mean "
                    f"{_listed(mean)}, std {_listed(std)}), expected one for all: build the "
                    "normalization into the model, or train it with one for all"
                )
            return 1 / std[0], -mean[0] / std[0] + 0.0
    return None


def _floats(options: Table, slot: int, default: float) -> list[float]:
    found = options.numbers(slot, "<f4")
    values: list[float] = [default] if found is None or not found.size else found.tolist()
    ranged = all(math.isfinite(value) and abs(value) < 1e6 for value in values)
    if not ranged or len(values) > 4 or (slot == _STD and min(map(abs, values)) < 1e-6):
        raise FlatbufferDamaged(f"its normalization has the numbers {_listed(values)}")
    return values


def _spread(values: list[float]) -> float:
    """How far the values lie apart, as a share of the largest."""
    return (max(values) - min(values)) / max(1e-6, *map(abs, values))


def _listed(values: list[float]) -> str:
    return ", ".join(f"{value:g}" for value in values[:4])


def _label_file(table: Table, graph: Table | None) -> str | None:
    """The first label file; one without a language before any that has one."""
    found = [each for each in _files(table, graph) if each.number(_FILE_TYPE, "b") in _LABELS]
    found.sort(key=lambda each: bool(each.text(_FILE_LOCALE)))
    return found[0].text(_FILE_NAME) if found else None


def _files(table: Table, graph: Table | None) -> Iterator[Table]:
    if graph is not None:
        for output in graph.tables(_OUTPUTS):
            yield from output.tables(_TENSOR_FILES)
        yield from graph.tables(_GRAPH_FILES)
    yield from table.tables(_FILES)


def _labels(model: bytes, file: str, name: str) -> tuple[str, ...]:
    packed = read_archive(io.BytesIO(model), f"the zip behind {name}", TAIL, only=(file,))
    if file not in packed:
        raise ModelRejected(
            f"the metadata in {name} names the label file {file[:80]!r}, which is not packed into "
            "it: pack it, or drop a labels.txt with the model"
        )
    return read_labels(packed[file], f"{file} in {name}")
