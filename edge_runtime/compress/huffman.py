"""Huffman codes of bounded length for symbols 0 to 255, as ``store/huffman.py`` reads them.

Lengths by package-merge (Larmore and Hirschberg, "A fast algorithm for optimal length-limited
Huffman codes", JACM 1990): coins of value 2**-1 to 2**-longest are bought in pairs, cheapest first.
Without the limit's help, as almost always, they are those of Huffman's own tree.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from edge_runtime.store.huffman import LONGEST_CODE, LONGEST_GAP, MOST_SYMBOLS, Code, Symbols

_PIECE = 1 << 16

Counts = npt.NDArray[np.int64]
_Coin = tuple[int, tuple[int, ...]]


def counted(symbols: Symbols) -> Counts:
    """How often each symbol occurs, up to the last one that does; [1] when there are none."""
    # Counted in pieces, because numpy makes eight bytes of every symbol.
    starts = range(0, len(symbols), _PIECE)
    pieces = (np.bincount(symbols[at : at + _PIECE], minlength=MOST_SYMBOLS) for at in starts)
    counts = sum(pieces, np.zeros(MOST_SYMBOLS, np.int64))
    used = np.flatnonzero(counts)
    return counts[: used[-1] + 1] if len(used) else np.ones(1, np.int64)


def code_lengths(counts: Counts, longest: int = LONGEST_CODE) -> Symbols:
    """The length of each symbol's code; 0 where the count is 0, 1 for a symbol that is alone.

    Raises ValueError when ``longest`` bits cannot tell that many symbols apart.
    """
    used = np.flatnonzero(counts)
    if len(used) > min(MOST_SYMBOLS, 1 << longest):
        raise ValueError(f"{len(used)} symbols do not fit codes of {longest} bits")
    lengths = np.zeros(len(counts), np.uint8)
    if len(used) == 1:
        lengths[used] = 1
        return lengths
    for _, symbols in _bought([(int(counts[s]), (int(s),)) for s in used], longest):
        # A package holds a symbol once for every level it passed, so it counts each time.
        np.add.at(lengths, list(symbols), 1)
    return lengths


def _bought(leaves: list[_Coin], longest: int) -> list[_Coin]:
    """The 2n - 2 cheapest coins; a symbol's code is as long as the coins it is in."""
    leaves = sorted(leaves)
    coins = leaves
    for _ in range(longest - 1):
        pairs = zip(coins[::2], coins[1::2], strict=False)
        packages = [(a[0] + b[0], a[1] + b[1]) for a, b in pairs]
        coins = sorted(leaves + packages, key=lambda coin: coin[0])
    return coins[: 2 * len(leaves) - 2]


def coded(symbols: Symbols) -> bytes:
    """The table and the bits of symbols [n], as ``read_code`` and ``Code.decode`` take them."""
    lengths = code_lengths(counted(symbols))
    return table(lengths) + bits(symbols, Code(lengths))


def table(lengths: Symbols) -> bytes:
    """A code's lengths as half bytes, runs of unused symbols shortened."""
    halves: list[int] = []
    at = 0
    while at < len(lengths):
        if lengths[at]:
            halves.append(int(lengths[at]))
            at += 1
            continue
        run = _run_of_zeros(lengths[at : at + LONGEST_GAP])
        halves += [0, run - 1]
        at += run
    halves += [0] * (len(halves) % 2)
    packed = (high << 4 | low for high, low in zip(halves[::2], halves[1::2], strict=True))
    return bytes([len(lengths) - 1, *packed])


def _run_of_zeros(lengths: Symbols) -> int:
    used = np.flatnonzero(lengths)
    return int(used[0]) if len(used) else len(lengths)


def bits(symbols: Symbols, code: Code) -> bytes:
    """The codes of symbols [n], one behind the other, the last byte filled up with zeros."""
    pieces = [_spelt(symbols[at : at + _PIECE], code) for at in range(0, len(symbols), _PIECE)]
    return np.packbits(np.concatenate(pieces)).tobytes() if pieces else b""


def _spelt(symbols: Symbols, code: Code) -> npt.NDArray[Any]:
    """Zeros and ones, a byte each."""
    places = np.arange(LONGEST_CODE, dtype=np.uint16)
    spelt = (code.codes()[symbols][:, None] >> (LONGEST_CODE - 1 - places)) & 1
    wanted: npt.NDArray[Any] = spelt.astype(np.uint8)[places < code.lengths[symbols][:, None]]
    return wanted
