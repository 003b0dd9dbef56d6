"""Whole packages expand, all others are refused with a sentence; time and memory are bounded."""

from __future__ import annotations

import hashlib
import random
import re
import tracemalloc
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_runtime.compress.huffman import coded
from edge_runtime.compress.numbers import leb128
from edge_runtime.compress.pack import every_way, pack
from edge_runtime.errors import ModelMissing, ModelRejected, OutputUnwritable
from edge_runtime.store.codings import Coding, decode
from edge_runtime.store.cursor import Cursor, PackageDamaged
from edge_runtime.store.package import MARK, Limits, expand, expand_file, is_package
from tests.engine.tiny_tflite import MODELS

MODEL = (MODELS / "int8_softmax.tflite").read_bytes()
PACKAGE = pack(MODEL)

Parts = list[tuple[int, int, bytes]]


def package(
    model: bytes, streams: Parts, runs: list[tuple[int, int]] | None = None, size: int | None = None
) -> bytes:
    """A package written by hand: streams as (coding, declared size, payload)."""
    runs = [(n, stream[1]) for n, stream in enumerate(streams)] if runs is None else runs
    head = MARK + b"\x01" + hashlib.sha256(model).digest()
    head += leb128(len(model) if size is None else size) + leb128(len(streams))
    for coding, declared, payload in streams:
        head += bytes([coding]) + leb128(declared) + leb128(len(payload))
    head += leb128(len(runs)) + b"".join(leb128(n) + leb128(length) for n, length in runs)
    return head + b"".join(payload for _, _, payload in streams)


def test_streams_are_dealt_out_in_runs() -> None:
    data = package(b"abXcdY", [(0, 4, b"abcd"), (0, 2, b"XY")], [(0, 2), (1, 1), (0, 2), (1, 1)])
    assert expand(data) == b"abXcdY"
    assert is_package(data)


def refused(data: bytes, **limits: int) -> str:
    with pytest.raises(ModelRejected) as refusal:
        expand(data, limits=Limits(**limits), name="x.tflite.edge")
    sentence = str(refusal.value)
    assert sentence.startswith("x.tflite.edge ")
    return sentence


def test_other_files_are_refused() -> None:
    assert "lacks the mark EDGE" in refused(b"")
    assert "lacks the mark EDGE" in refused(MODEL)


def test_newer_packages_are_refused() -> None:
    assert "version 2, expected 1" in refused(MARK + b"\x02" + PACKAGE[5:])


def test_other_bytes_than_promised_are_refused() -> None:
    assert "SHA-256" in refused(package(b"abcd", [(0, 4, b"abce")]))


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (package(b"abcd", [(9, 4, b"abcd")]), "coding 9 is not known"),
        (package(b"abcd", [(0, 4, b"abc")]), "stream 0, stored: 4 bytes are stored in 3"),
        (package(b"abcd", [(0, 3, b"abc")]), "runs make 3 bytes, expected 4"),
        (package(b"abcd", [(0, 4, b"abcd")], [(1, 4)]), "stream of a run"),
        (package(b"abcd", [(0, 3, b"abc"), (0, 1, b"d")], [(0, 4)]), "the runs take 4"),
        (package(b"abcd", [(0, 4, b"abcd")]) + b"!", "1 bytes behind its end"),
        (package(b"abcd", [(1, 4, b"\xff")]), "deflate"),
        (package(b"abcd", [(2, 4, b"\xff" * 20)]), "LZMA"),
        (package(b"", [], []), "version"),
    ],
)
def test_contradictions_are_named(data: bytes, why: str) -> None:
    if why == "version":
        assert expand(data) == b""
    else:
        assert why in refused(data)


def test_streams_that_go_on_are_refused() -> None:
    ways = every_way(b"ab" * 500, 1)
    del ways[Coding.SHARED]  # what follows its last entry is the common value, however long
    for coding, payload in ways.items():
        for size in (0, 900, 1100):
            with pytest.raises(PackageDamaged):
                decode(coding, memoryview(payload), size)


@pytest.mark.parametrize(
    ("payload", "why"),
    [
        (b"\x03\x00abc", "3 bytes wide"),
        (b"\x04\x01abcd", "a codebook"),
        (b"\x01\x00z\x09", "count of entries"),
        (b"\x01\x00z\x01\x09", "9 bits"),
        (b"\x01\x00z\x02\x08\x7f", "size of the distances"),
        (b"\x01\x00z\x01\x00" + coded(np.array([1], np.uint8)), "names value 1 of 1"),
        (
            b"\x01\x00z\x01\x08"
            + leb128(len(coded(np.array([9], np.uint8))))
            + coded(np.array([9], np.uint8))
            + coded(np.array([0], np.uint8)),
            "stands at 9 of 4",
        ),
    ],
)
def test_lies_about_shared_values_are_named(payload: bytes, why: str) -> None:
    with pytest.raises(PackageDamaged, match=why):
        decode(Coding.SHARED, memoryview(payload), 4)


def test_files_are_expanded_whole(tmp_path: Path) -> None:
    source, target = tmp_path / "model.tflite.edge", tmp_path / "model.tflite"
    source.write_bytes(PACKAGE)
    expand_file(source, target)
    assert target.read_bytes() == MODEL
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model.tflite", source.name]


def test_a_refused_file_leaves_the_old_model(tmp_path: Path) -> None:
    source, target = tmp_path / "model.tflite.edge", tmp_path / "model.tflite"
    source.write_bytes(PACKAGE[:-1])
    target.write_bytes(b"old")
    with pytest.raises(ModelRejected, match=re.escape(str(source))):
        expand_file(source, target)
    source.write_bytes(bytes(300_000))
    with pytest.raises(ModelRejected, match="300000 bytes, expected at most"):
        expand_file(source, target, limits=Limits(model_bytes=1000))
    source.unlink()
    with pytest.raises(ModelMissing):
        expand_file(source, target)
    assert target.read_bytes() == b"old"


def test_a_target_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    source = tmp_path / "model.tflite.edge"
    source.write_bytes(PACKAGE)
    with pytest.raises(OutputUnwritable, match=r"no-folder.*1536 bytes are needed"):
        expand_file(source, tmp_path / "no-folder" / "model.tflite")


def test_limits_are_kept() -> None:
    assert refused(PACKAGE, model_bytes=1000).endswith("1536 bytes, expected at most 1000")
    assert "size of the model" in refused(PACKAGE, ratio=1)
    assert "count of streams" in refused(PACKAGE, streams=0)
    assert "count of runs" in refused(PACKAGE, runs=0)


def test_numbers_that_do_not_end_are_refused() -> None:
    with pytest.raises(PackageDamaged, match="does not end"):
        Cursor(memoryview(b"\xff" * 9), "a test").number("a size", 10**12)


@settings(max_examples=150)
@given(st.integers(0, len(PACKAGE) - 1))
def test_every_cut_is_refused(length: int) -> None:
    refused(PACKAGE[:length])


def test_flipped_bits_are_refused() -> None:
    choose = random.Random(7)
    for _ in range(400):
        damaged = bytearray(PACKAGE)
        for _ in range(choose.randint(1, 6)):
            damaged[choose.randrange(len(damaged))] ^= 1 << choose.randrange(8)
        if bytes(damaged) != PACKAGE:
            refused(bytes(damaged))


def is_refused_or_whole(coding: Coding, payload: bytes, size: int) -> bool:
    """Any other exception than a refusal passes through and fails the test."""
    try:
        return len(decode(coding, memoryview(payload), size)) == size
    except PackageDamaged:
        return True


WAYS = every_way(
    np.random.default_rng(1).choice([0, 0, 0, 0, 3, 9], 900).astype("<f4").tobytes(), 4
)


@settings(max_examples=300)
@given(st.sampled_from(sorted(WAYS)), st.data())
def test_damaged_streams_are_refused_or_have_the_size_asked_for(
    coding: Coding, data: st.DataObject
) -> None:
    """Under the checksum, which hides from the test above what a decoder does."""
    payload = bytearray(WAYS[coding])
    for _ in range(data.draw(st.integers(1, 4))):
        payload[data.draw(st.integers(0, len(payload) - 1))] = data.draw(st.integers(0, 255))
    size = data.draw(st.sampled_from([3600, 3600, 3599, 0, 7200]))
    assert is_refused_or_whole(coding, bytes(payload), size)


@settings(max_examples=200)
@given(st.binary(max_size=400), st.sampled_from(list(Coding)), st.integers(0, 5000))
def test_any_bytes_are_a_stream_or_refused(payload: bytes, coding: Coding, size: int) -> None:
    assert is_refused_or_whole(coding, payload, size)


def peak_of(data: bytes) -> tuple[int, int]:
    """Bytes taken at most while expanding, and the size of what came out (0 when refused)."""
    tracemalloc.start()
    try:
        size = len(expand(data))
    except ModelRejected:
        size = 0
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak, size


def bombs() -> list[bytes]:
    million = b"\0" * 1_000_000
    deflated = zlib.compress(million, 9)[2:-4]
    return [
        package(b"", [(0, 1 << 34, b"")], size=1 << 34),
        package(b"", [(4, 1 << 30, b"\x04\x00abcd\x00\x00\x00\x10")], size=1 << 30),
        package(b"", [(1, 50_000, deflated)], size=50_000),
        package(b"", [(0, 1000, b"")] * 4, [(0, 1000)] * 4, size=4000),
    ]


@pytest.mark.parametrize("bomb", bombs(), ids=["size", "shared", "deflate", "runs"])
def test_bombs_cost_no_memory(bomb: bytes) -> None:
    peak, size = peak_of(bomb)
    assert size == 0
    assert peak < 400_000


def of_many_bytes(coding: Coding, count: int) -> tuple[bytes, bytes]:
    """A pruned layer of float32 numbers of that many bytes, and its package."""
    rng = np.random.default_rng(2)
    values = rng.integers(-40, 40, count // 4) * (rng.random(count // 4) < 0.1)
    model = values.astype("<f4").tobytes()
    return model, package(model, [(coding, count, every_way(model, 4)[coding])])


@pytest.mark.parametrize("coding", list(Coding))
def test_memory_is_as_documented(coding: Coding) -> None:
    model, data = of_many_bytes(coding, 1 << 18)
    peak, size = peak_of(data)
    assert size == len(model)
    assert peak <= 4 * size + (8 << 20)
