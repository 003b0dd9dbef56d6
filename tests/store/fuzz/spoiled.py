"""Spoil sound model files in seeded ways: what a bad card, a broken copy or a bad mind may send."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable, Iterator
from dataclasses import replace
from hashlib import sha256
from itertools import cycle, islice
from pathlib import Path
from typing import NamedTuple

from edge_runtime.engine.flatbuffer import Bytes, Table
from edge_runtime.store.manifest import Manifest, read_manifest
from tests.engine.damage import flipped, truncated
from tests.engine.tiny_tflite import MODELS
from tests.store import shelf

PACKAGED = Path(__file__).resolve().parents[3] / "models"

Spoil = Callable[["Original", int], bytes]


class Original(NamedTuple):
    """A sound model."""

    content: bytes
    manifest: Manifest


class Spoiled(NamedTuple):
    """A file that nobody meant to make."""

    way: str
    content: bytes
    original: Original

    @property
    def manifest(self) -> Manifest:
        """The original's, as if it had been derived from this very file."""
        return replace(self.original.manifest, sha256=sha256(self.content).hexdigest())


def originals(folder: Path) -> tuple[Original, ...]:
    """The packaged models and two tiny ones, which are put into ``folder``."""
    tiny = {"int8_softmax": shelf.classifier(), "two_outputs": shelf.detector()}
    folders = [shelf.put(folder / name, told, name) for name, told in tiny.items()]
    return tuple(
        Original((each / "model.tflite").read_bytes(), read_manifest(each / "manifest.json"))
        for each in (PACKAGED / "smile", PACKAGED / "face-glance", *folders)
    )


def spoil(sound: tuple[Original, ...], count: int, seed: int) -> Iterator[Spoiled]:
    """``count`` files, each way and each original in turn."""
    turns = zip(cycle(WAYS.items()), _in_turn(sound), range(seed << 32, (seed << 32) + count))
    for (way, make), original, each in islice(turns, count):
        yield Spoiled(way, make(original, each), original)


def _in_turn(sound: tuple[Original, ...]) -> Iterator[Original]:
    """As many of each as there are ways, so that every way meets every original."""
    return (original for original in cycle(sound) for _ in WAYS)


def _truncated(original: Original, seed: int) -> bytes:
    return next(truncated(original.content, 1, seed))


def _flipped(original: Original, seed: int) -> bytes:
    return next(flipped(original.content, 1, seed))


def _spliced(original: Original, seed: int) -> bytes:
    """The beginning of the file and, from some other place, a stretch of a tiny one."""
    choose = random.Random(seed)
    other = choose.choice(sorted(MODELS.glob("*.tflite"))).read_bytes()
    at = 4 * choose.randrange(2, len(original.content) // 4)
    begin = 4 * choose.randrange(len(other) // 4)
    stretch = other[begin : begin + 4 * choose.randint(1, 64)]
    tail = b"" if choose.random() < 0.5 else original.content[at + len(stretch) :]
    return original.content[:at] + stretch + tail


def _noise(_: Original, seed: int) -> bytes:
    """Random bytes, half of them with the mark of a model."""
    choose = random.Random(seed)
    drawn = choose.randbytes(choose.randint(0, 5000))
    return drawn if choose.random() < 0.5 else drawn[:4] + b"TFL3" + drawn[8:]


def _reshaped(original: Original, seed: int) -> bytes:
    return _with_length(original, seed, random.Random(seed).randint(-2, 9))


def _huge(original: Original, seed: int) -> bytes:
    return _with_length(original, seed, 2 ** random.Random(seed).randint(16, 31) - 1)


def _with_length(original: Original, seed: int, length: int) -> bytes:
    """One dimension of one tensor is another."""
    file = Bytes(original.content)
    tensors = Table.root(file).tables(2)[0].tables(0)
    spans = [span for tensor in tensors if (span := tensor.span(0, "<i4")) and span[1]]
    first, size = random.Random(seed).choice(spans)
    at = first + 4 * random.Random(seed).randrange(size // 4)
    return original.content[:at] + struct.pack("<i", length) + original.content[at + 4 :]


WAYS: dict[str, Spoil] = {
    "truncated": _truncated,
    "flipped": _flipped,
    "spliced": _spliced,
    "noise": _noise,
    "reshaped": _reshaped,
    "huge": _huge,
}
