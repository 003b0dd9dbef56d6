"""Key ``sparse``: few different values, most of them the same one, as Deep Compression stores them.

What differs from the commonest value (zero, after pruning) becomes an entry: how many common ones
stand before it, and which value it has. A distance too long for its bits is bridged by entries of
the common value (arXiv 1510.00149, section 2 and figure 2). Both columns are Huffman coded
(section 4). Distances get the 1 to 8 bits that come out smallest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from edge_runtime.compress.huffman import Counts, code_lengths, coded, counted
from edge_runtime.compress.numbers import leb128
from edge_runtime.store.codings import MOST_GAP_BITS
from edge_runtime.store.huffman import MOST_SYMBOLS, Symbols

Numbers = npt.NDArray[Any]


@dataclass(frozen=True)
class Entries:
    """The two columns; ``gap_bits`` 0: every number has an entry, and there are no gaps."""

    gap_bits: int
    gaps: Symbols
    values: Symbols

    def coded(self) -> bytes:
        """As ``store/codings.py`` reads them."""
        head = leb128(len(self.values)) + bytes([self.gap_bits])
        if self.gap_bits == 0:
            return head + coded(self.values)
        gaps = coded(self.gaps)
        return head + leb128(len(gaps)) + gaps + coded(self.values)

    def bits(self) -> int:
        """What both columns take, with half a byte in a table for each symbol in use."""
        return sum(_bits(counted(column)) for column in (self.gaps, self.values))


def _bits(counts: Counts) -> int:
    return int((counts * code_lengths(counts)).sum()) + 4 * int(np.count_nonzero(counts))


def coded_sparsely(numbers: Numbers) -> bytes | None:
    """Numbers [n] of 1, 2 or 4 bytes as a stream of shared values; None with over 256 different.

    They are told apart by their bits, so that every NaN and minus zero comes back as it was.
    """
    plain = numbers.view(f"<u{numbers.itemsize}")
    book, index, counts = np.unique(plain, return_inverse=True, return_counts=True)
    if not 1 <= len(book) <= MOST_SYMBOLS:
        return None
    order = np.argsort(-counts, kind="stable")
    rank = np.empty(len(book), np.uint8)
    rank[order] = np.arange(len(book))
    return coded_ranks(rank[index], book[order])


def coded_ranks(ranks: Symbols, book: Numbers) -> bytes:
    """As ``coded_sparsely``, for numbers known as places [n] in a codebook, 0 the commonest."""
    entries = min(_ways(ranks), key=Entries.bits)
    return bytes([book.itemsize, len(book) - 1]) + book.tobytes() + entries.coded()


def _ways(values: Symbols) -> list[Entries]:
    dense = Entries(0, np.zeros(0, np.uint8), values)
    return [dense, *(relative(values, bits) for bits in range(1, MOST_GAP_BITS + 1))]


def relative(values: Symbols, gap_bits: int) -> Entries:
    """Entries for all that is not 0 in values [n], distances below 2**gap_bits."""
    span = 1 << gap_bits
    places = np.flatnonzero(values)
    distances = np.diff(places, prepend=-1) - 1
    bridges = distances // span
    ends = np.cumsum(bridges + 1) - 1
    total = int(ends[-1]) + 1 if len(ends) else 0
    gaps = np.full(total, span - 1, np.uint8)
    chosen = np.zeros(total, np.uint8)
    gaps[ends] = distances % span
    chosen[ends] = values[places]
    return Entries(gap_bits, gaps, chosen)
