"""Codes are as short as Huffman's, never longer than allowed, and read back to what was written."""

from __future__ import annotations

import contextlib
import heapq

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_runtime.compress.huffman import code_lengths, coded, table
from edge_runtime.store.cursor import Cursor, PackageDamaged
from edge_runtime.store.huffman import LONGEST_CODE, Code, read_code

counts_of_symbols = st.lists(st.integers(0, 10_000), min_size=2, max_size=256).filter(
    lambda counts: sum(count > 0 for count in counts) >= 2
)


def read_back(data: bytes, count: int) -> bytes:
    cursor = Cursor(memoryview(data), "a test")
    return read_code(cursor).decode(cursor.rest(), count).tobytes()


def huffman_cost(counts: list[int]) -> int:
    """Bits of an unbounded Huffman code: the sum of all the merged weights."""
    heap = [count for count in counts if count]
    heapq.heapify(heap)
    cost = 0
    while len(heap) > 1:
        merged = heapq.heappop(heap) + heapq.heappop(heap)
        cost += merged
        heapq.heappush(heap, merged)
    return cost


@given(counts_of_symbols)
def test_code_is_whole_and_bounded(counts: list[int]) -> None:
    lengths = code_lengths(np.array(counts))
    used = lengths[np.array(counts) > 0].astype(float)
    assert (2.0**-used).sum() == 1.0
    assert used.max() <= LONGEST_CODE
    assert not lengths[np.array(counts) == 0].any()


@given(counts_of_symbols)
def test_code_costs_no_more_than_huffmans_own(counts: list[int]) -> None:
    lengths = code_lengths(np.array(counts), longest=40)
    assert int((lengths * np.array(counts)).sum()) == huffman_cost(counts)


def test_bound_is_kept_where_huffmans_tree_would_be_deeper() -> None:
    fibonacci = [1, 1]
    while len(fibonacci) < 40:
        fibonacci.append(fibonacci[-1] + fibonacci[-2])
    lengths = code_lengths(np.array(fibonacci))
    assert lengths.max() == LONGEST_CODE
    assert (2.0 ** -lengths.astype(float)).sum() == 1.0


def test_more_symbols_than_codes_are_refused() -> None:
    with pytest.raises(ValueError, match="5 symbols do not fit codes of 2 bits"):
        code_lengths(np.ones(5, np.int64), longest=2)


@given(st.binary(max_size=3000))
def test_what_was_coded_is_read_back(content: bytes) -> None:
    assert read_back(coded(np.frombuffer(content, np.uint8)), len(content)) == content


def test_long_streams_are_read_in_pieces() -> None:
    symbols = np.random.default_rng(3).geometric(0.1, 300_000).clip(0, 255).astype(np.uint8)
    assert read_back(coded(symbols), len(symbols)) == symbols.tobytes()


def test_one_symbol_takes_a_bit_each() -> None:
    data = coded(np.full(80, 7, np.uint8))
    assert len(data) == len(table(code_lengths(np.array([0] * 7 + [80])))) + 10
    assert read_back(data, 80) == bytes([7]) * 80


@pytest.mark.parametrize(
    "lengths",
    [[1, 1, 1], [2, 2, 2], [0, 0], [3], [15, 15]],
    ids=["too many", "too few", "none", "alone and long", "two and long"],
)
def test_lengths_that_make_no_code_are_refused(lengths: list[int]) -> None:
    with pytest.raises(PackageDamaged, match="make no prefix code"):
        Code(np.array(lengths, np.uint8))


@given(st.binary(min_size=1, max_size=200), st.integers(0, 2000))
def test_any_bytes_are_symbols_or_refused(data: bytes, count: int) -> None:
    found = b""
    with contextlib.suppress(PackageDamaged):  # any other exception is a defect
        found = read_back(data, count)
    assert len(found) in (0, count)


def test_unknown_code_is_refused() -> None:
    alone = Code(np.array([1], np.uint8))
    with pytest.raises(PackageDamaged, match="does not know"):
        alone.decode(memoryview(b"\x80"), 1)


@pytest.mark.parametrize(("stream", "count"), [(b"\x00\x00", 3), (b"\x00", 9), (b"", 1)])
def test_streams_of_another_length_are_refused(stream: bytes, count: int) -> None:
    with pytest.raises(PackageDamaged):
        Code(np.array([1, 1], np.uint8)).decode(memoryview(stream), count)
