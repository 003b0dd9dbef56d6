"""``.tflite.edge``: a model file coded as small as it gets, expanded here to the very same bytes.

    "EDGE"  version  SHA-256 of the model  its size
    streams: count, then for each: coding, size, size when coded
    runs:    count, then for each: stream, length
    the coded streams, one behind the other

A model's bytes are its runs in order; each takes its length from its stream. So all that is
alike in a file, say its int8 weights, can be one stream with one code. Numbers are LEB128. Written
by ``edge_runtime/compress/pack.py``; docs/decisions/0005-edge-package.md says why it is as it is.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from edge_runtime.engine.engine import read_model_file
from edge_runtime.errors import ModelRejected, OutputUnwritable
from edge_runtime.store.codings import Coding, decode
from edge_runtime.store.cursor import Cursor, PackageDamaged, PackageTooLarge

MARK: Final = b"EDGE"
VERSION: Final = 1
SUFFIX: Final = ".tflite.edge"
_SHA256_BYTES: Final = 32
_LARGEST_HEADER: Final = 1 << 18


@dataclass(frozen=True, slots=True)
class Limits:
    """What a package may ask for; checked before any memory is taken."""

    model_bytes: int = 64 << 20
    """Size of the expanded model."""
    ratio: int = 1000
    """How many times its own size a package may expand to."""
    streams: int = 4096
    runs: int = 16384


DEFAULT_LIMITS: Final = Limits()


@dataclass(frozen=True, slots=True)
class Stream:
    """One coded stretch of bytes."""

    coding: Coding
    size: int
    """Bytes when decoded."""
    coded: int
    """Bytes in the package."""


@dataclass(frozen=True, slots=True)
class Header:
    """What a package says about itself."""

    sha256: bytes
    """Of the model, 32 bytes."""
    size: int
    """Of the model, bytes."""
    streams: tuple[Stream, ...]
    runs: tuple[tuple[int, int], ...]
    """(number of the stream, bytes taken from it), in the order of the model's bytes."""


class ModelFile(NamedTuple):
    """A file that holds a model, read."""

    path: Path
    tflite: bytes
    """What the interpreter takes."""
    package_bytes: int | None
    """Size of the package it was expanded from; None: the file is the .tflite itself."""


def is_model_file(path: str | Path) -> bool:
    """Whether a path looks like that of a model file: a .tflite, or a package."""
    return str(path).endswith((".tflite", SUFFIX))


def is_package(data: bytes) -> bool:
    """Whether the bytes begin like a package."""
    return data[: len(MARK)] == MARK


def expand(data: bytes, *, limits: Limits = DEFAULT_LIMITS, name: str = "the package") -> bytes:
    """The .tflite in a package, bit for bit as it was packed; ``name`` is what the error calls it.

    Takes at most four times the model's size and 8 MiB of memory. Raises ModelRejected when the
    package is damaged, asks for more than ``limits``, or holds other bytes than it promised.
    """
    if not is_package(data):
        raise ModelRejected(f"{name} is no {SUFFIX} package: it lacks the mark EDGE at byte 0")
    try:
        return _expanded(data, limits)
    except PackageTooLarge as error:
        raise ModelRejected(f"{name} {error}") from None
    except PackageDamaged as error:
        raise ModelRejected(
            f"{name} is damaged or cut short ({error}): copy it again from where it came"
        ) from None


def read_tflite(path: Path, *, limits: Limits = DEFAULT_LIMITS) -> ModelFile:
    """Read a model file; one whose name ends in .tflite.edge is expanded, in memory only.

    Raises ModelMissing, or ModelRejected when it cannot be read or expanded.
    """
    if path.name.endswith(SUFFIX):
        return _read_package(path, limits)
    return ModelFile(path, read_model_file(path), None)


def expand_file(package: Path, target: Path, *, limits: Limits = DEFAULT_LIMITS) -> ModelFile:
    """Write the .tflite of a package file to ``target``: all of it or nothing.

    A power cut leaves the old file or the new one. Raises ModelMissing or ModelRejected for the
    package and OutputUnwritable for the target.
    """
    read = _read_package(package, limits)
    part = target.with_name(target.name + ".part")
    try:
        with part.open("wb") as file:
            file.write(read.tflite)
            file.flush()
            os.fsync(file.fileno())
        part.replace(target)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise OutputUnwritable(
            f"{target} cannot be written: {error.strerror}; {len(read.tflite)} bytes are needed "
            "there"
        ) from None
    return read


def _read_package(path: Path, limits: Limits) -> ModelFile:
    _require_size(path, limits)
    data = read_model_file(path)
    return ModelFile(path, expand(data, limits=limits, name=str(path)), len(data))


def _require_size(package: Path, limits: Limits) -> None:
    """Before reading: stored as it is, the largest model needs little more than its own size."""
    most, size = limits.model_bytes + _LARGEST_HEADER, 0
    with contextlib.suppress(OSError):  # said in words where the file is read
        size = package.stat().st_size
    if size > most:
        raise ModelRejected(f"{package} has {size} bytes, expected at most {most} for a package")


def _expanded(data: bytes, limits: Limits) -> bytes:
    cursor = Cursor(memoryview(data), "the file")
    header = read_header(cursor, len(data), limits)
    model = bytearray(header.size)
    places = _places(header)
    for number, stream in enumerate(header.streams):
        payload = cursor.take(stream.coded, f"stream {number}")
        _scatter(model, _decoded(number, stream, payload), places[number])
    cursor.finish()
    if hashlib.sha256(model).digest() != header.sha256:
        raise PackageDamaged("the expanded model's SHA-256 is not the one written down")
    return bytes(model)


def read_header(cursor: Cursor, package_bytes: int, limits: Limits) -> Header:
    """All before the streams. Raises PackageDamaged for contradictions and excess."""
    cursor.take(len(MARK), "the mark")
    version = cursor.byte("the version")
    if version != VERSION:
        raise PackageDamaged(f"it is of version {version}, expected {VERSION}")
    sha256 = bytes(cursor.take(_SHA256_BYTES, "the SHA-256"))
    size = cursor.number("the size of the model", limits.ratio * package_bytes)
    if size > limits.model_bytes:
        raise PackageTooLarge(f"expands to {size} bytes, expected at most {limits.model_bytes}")
    streams = tuple(
        _stream(cursor, size) for _ in range(cursor.number("the count of streams", limits.streams))
    )
    runs = tuple(
        _run(cursor, len(streams), size)
        for _ in range(cursor.number("the count of runs", limits.runs))
    )
    return _agreeing(Header(sha256, size, streams, runs))


def _stream(cursor: Cursor, most: int) -> Stream:
    number = cursor.byte("a coding")
    try:
        coding = Coding(number)
    except ValueError:
        raise PackageDamaged(f"coding {number} is not known, expected 0 to {max(Coding)}") from None
    size = cursor.number("the size of a stream", most)
    return Stream(coding, size, cursor.number("the coded size of a stream", cursor.left))


def _run(cursor: Cursor, streams: int, most: int) -> tuple[int, int]:
    number = cursor.number("the stream of a run", streams - 1)
    return number, cursor.number("the length of a run", most)


def _agreeing(header: Header) -> Header:
    """The header, if its runs use up its streams and make up its size."""
    used = [0] * len(header.streams)
    for number, length in header.runs:
        used[number] += length
    if sum(used) != header.size:
        raise PackageDamaged(f"its runs make {sum(used)} bytes, expected {header.size}")
    for number, (stream, length) in enumerate(zip(header.streams, used, strict=True)):
        if stream.size != length:
            raise PackageDamaged(
                f"stream {number} has {stream.size} bytes, but the runs take {length}"
            )
    return header


def _places(header: Header) -> list[list[tuple[int, int]]]:
    """For each stream, where its bytes go: (first byte in the model, length)."""
    places: list[list[tuple[int, int]]] = [[] for _ in header.streams]
    at = 0
    for number, length in header.runs:
        places[number].append((at, length))
        at += length
    return places


def _decoded(number: int, stream: Stream, payload: memoryview) -> memoryview:
    try:
        return decode(stream.coding, payload, stream.size)
    except PackageDamaged as error:
        raise PackageDamaged(f"stream {number}, {stream.coding.name.lower()}: {error}") from None


def _scatter(model: bytearray, content: memoryview, places: list[tuple[int, int]]) -> None:
    taken = 0
    for at, length in places:
        model[at : at + length] = content[taken : taken + length]
        taken += length
