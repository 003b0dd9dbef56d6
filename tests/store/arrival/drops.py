"""Things to drop: zips as others make them, and models that carry metadata."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.engine.tiny_tflite import MODELS

SMILE = Path(__file__).parents[3] / "models" / "smile" / "model.tflite"
TEACHABLE_LABELS = b"0 neutral\n1 smile\n"


def tiny(name: str) -> bytes:
    return (MODELS / f"{name}.tflite").read_bytes()


def zipped(files: Mapping[str, bytes], *, compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", compression) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return made.getvalue()


def teachable_machine(*, quantized: bool = True) -> bytes:
    """A zip with the layout of its TensorFlow Lite export."""
    if quantized:
        return zipped({"model.tflite": SMILE.read_bytes(), "labels.txt": TEACHABLE_LABELS})
    return zipped(
        {"model_unquant.tflite": tiny("float_rgb_softmax"), "labels.txt": TEACHABLE_LABELS}
    )


@dataclass(frozen=True)
class Ref:
    """Something at a byte of the model that follows what is written."""

    at: int


Fields = dict[int, Any]
"""By slot: text, floats, a byte (int), a table (dict), tables (list), raw (bytes), or a Ref."""


class Flatbuffer:
    """Writes tables front to back: each field points ahead to what is written after it."""

    def __init__(self, identifier: bytes) -> None:
        self.data = bytearray(4) + identifier
        self.refs: list[tuple[int, int]] = []

    def finish(self, root: Fields) -> bytes:
        self.point(0, self.table(root))
        return bytes(self.data)

    def table(self, fields: Fields) -> int:
        slots = max(fields, default=-1) + 1
        self.pad(4)
        vtable = len(self.data)
        sizes = 4 + 2 * slots
        self.data += struct.pack("<HH", sizes, 4 + 4 * len(fields))
        places = {slot: 4 + 4 * number for number, slot in enumerate(sorted(fields))}
        for slot in range(slots):
            self.data += struct.pack("<H", places.get(slot, 0))
        self.pad(4)
        at = len(self.data)
        self.data += struct.pack("<i", at - vtable) + bytes(4 * len(fields))
        for slot, value in fields.items():
            self.put(at + places[slot], value)
        return at

    def put(self, place: int, value: Any) -> None:
        if isinstance(value, int):
            self.data[place : place + 4] = struct.pack("<i", value)
        elif isinstance(value, Ref):
            self.refs.append((place, value.at))
        elif isinstance(value, dict):
            self.point(place, self.table(value))
        else:
            self.point(place, self.vector(value))

    def vector(self, value: Any) -> int:
        self.pad(4)
        at = len(self.data)
        if isinstance(value, str | bytes):
            raw = value.encode() if isinstance(value, str) else value
            self.data += struct.pack("<I", len(raw)) + raw + b"\0"
        elif value and isinstance(value[0], float):
            self.data += struct.pack(f"<I{len(value)}f", len(value), *value)
        else:
            self.data += struct.pack("<I", len(value)) + bytes(4 * len(value))
            for number, each in enumerate(value):
                self.put(at + 4 + 4 * number, each)
        return at

    def point(self, place: int, target: int) -> None:
        self.data[place : place + 4] = struct.pack("<I", target - place)

    def pad(self, width: int) -> None:
        self.data += bytes(-len(self.data) % width)


def metadata(
    *,
    mean: Sequence[float] = (127.5,),
    std: Sequence[float] = (127.5,),
    label_files: Sequence[str] = ("labels.txt",),
    **texts: str,
) -> bytes:
    """The flatbuffer of the entry TFLITE_METADATA; slots as in metadata_schema.fbs."""
    normalization = {0: 1, 1: {0: list(mean), 1: list(std)}}
    files = [{0: name, 2: 2} for name in label_files]
    graph: Fields = {2: [{0: "image", 4: [normalization]}], 3: [{0: "scores", 6: files}]}
    slots = {"description": 1, "version": 2, "license": 5}
    root = {slots[key]: text for key, text in texts.items()} | {3: [graph]}
    return Flatbuffer(b"M001").finish(root)


def with_metadata(
    model: bytes, content: bytes | None, files: Mapping[str, bytes] | None = None
) -> bytes:
    """The model with the entry TFLITE_METADATA, and with a zip of ``files`` behind it.

    A new head goes before the old file, which stays as it is: its offsets are relative.
    """
    fields, buffers = _old_fields(model)
    head = Flatbuffer(b"TFL3")
    new: Fields = {slot: Ref(at) for slot, at in fields.items() if slot not in (0, 4, 6)}
    new |= {0: 3, 4: [*map(Ref, buffers), {} if content is None else {0: content}]}
    head.finish(new | {6: [{0: "TFLITE_METADATA", 1: len(buffers)}]})
    head.pad(16)
    made = head.data
    for place, at in head.refs:
        struct.pack_into("<I", made, place, len(made) + at - place)
    return bytes(made) + model + (zipped(files) if files else b"")


def _old_fields(model: bytes) -> tuple[dict[int, int], list[int]]:
    """Where the root table's fields point, and where the buffers' tables are."""

    def number(code: str, at: int) -> int:
        return int(struct.unpack_from(code, model, at)[0])

    root = number("<I", 0)
    vtable = root - number("<i", root)
    places = {
        slot: root + number("<H", vtable + 4 + 2 * slot)
        for slot in range(number("<H", vtable) // 2 - 2)
        if number("<H", vtable + 4 + 2 * slot)
    }
    fields = {slot: at + number("<I", at) for slot, at in places.items() if slot != 0}
    entries = [fields[4] + 4 + 4 * i for i in range(number("<I", fields[4]))]
    return fields, [at + number("<I", at) for at in entries]
