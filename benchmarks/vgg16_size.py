"""VGG-16's shape at the sparsity and bits of Deep Compression: a size check only.

    python -m benchmarks.vgg16_size [--work DIR]

The weights are synthetic: drawn at random, cut at the magnitude that leaves the shares of arXiv
1510.00149's table for VGG-16, and clustered into 2**8 (convolutions) or 2**5 (linear) values, the
pruned ones' zero among them. No net is trained and nothing is classified; what is measured is how
many bytes the package's coding needs for so many weights, so sparse, of so few values. How often a
value occurs depends on how weights are distributed, so distributions with light and heavy tails are
tried. Layer after layer, each decoded and compared; biases count 4 bytes each.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from edge_runtime.compress.share import cluster
from edge_runtime.compress.sparse import coded_ranks
from edge_runtime.store.codings import Coding, decode

SEED = 1
PIECE = 1_000_000
FREEDOM = 4
"""Degrees of freedom: the fewer, the heavier the tail."""
PAPER = {"from_mb": 552, "to_mb": 11.3, "ratio": 49}
CONV_BITS, LINEAR_BITS = 8, 5


@dataclass(frozen=True)
class Layer:
    """One row of the paper's table."""

    name: str
    weights: int
    kept: float
    """Share of the weights that pruning leaves."""
    bits: int
    biases: int


def conv(name: str, inputs: int, outputs: int, kept: float) -> Layer:
    return Layer(name, 9 * inputs * outputs, kept, CONV_BITS, outputs)


def linear(name: str, inputs: int, outputs: int, kept: float) -> Layer:
    return Layer(name, inputs * outputs, kept, LINEAR_BITS, outputs)


# Weights left by pruning: 7.6 % of all; the paper, before rounding these, says 7.5.
LAYERS = (
    conv("conv1_1", 3, 64, 0.58),
    conv("conv1_2", 64, 64, 0.22),
    conv("conv2_1", 64, 128, 0.34),
    conv("conv2_2", 128, 128, 0.36),
    conv("conv3_1", 128, 256, 0.53),
    conv("conv3_2", 256, 256, 0.24),
    conv("conv3_3", 256, 256, 0.42),
    conv("conv4_1", 256, 512, 0.32),
    conv("conv4_2", 512, 512, 0.27),
    conv("conv4_3", 512, 512, 0.34),
    conv("conv5_1", 512, 512, 0.35),
    conv("conv5_2", 512, 512, 0.29),
    conv("conv5_3", 512, 512, 0.36),
    linear("fc6", 512 * 7 * 7, 4096, 0.04),
    linear("fc7", 4096, 4096, 0.04),
    linear("fc8", 4096, 1000, 0.23),
)


DRAWS: dict[str, Callable[[np.random.Generator, int], NDArray[np.float64]]] = {
    "normal": lambda rng, count: rng.normal(size=count),
    "laplace": lambda rng, count: rng.laplace(size=count),
    "student-t": lambda rng, count: rng.standard_t(FREEDOM, size=count),
}


def survivors(layer: Layer, shape: str, rng: np.random.Generator) -> NDArray[np.float32]:
    """What a cut by magnitude leaves of a layer's weights, drawn from that distribution."""
    draw = DRAWS[shape]
    cut = np.quantile(np.abs(draw(rng, PIECE)), 1 - layer.kept)
    wanted, found = round(layer.kept * layer.weights), []
    while sum(map(len, found)) < wanted:
        drawn = draw(rng, PIECE)
        found.append(drawn[np.abs(drawn) > cut])
    return np.concatenate(found)[:wanted].astype(np.float32)


def ranks_and_book(
    layer: Layer, shape: str, rng: np.random.Generator
) -> tuple[NDArray[np.uint8], NDArray[Any]]:
    """The layer as numbers of a codebook, 0 for pruned, at random places."""
    values = survivors(layer, shape, rng)
    centroids, labels = cluster(torch.from_numpy(values), layer.bits)
    book = np.concatenate([np.zeros(1, np.float32), centroids.numpy()])[: 1 << layer.bits]
    ranks = np.zeros(layer.weights, np.uint8)
    places = np.flatnonzero(_chosen(layer, len(values), rng))
    ranks[places] = np.minimum(labels.numpy(), len(book) - 1)
    return ranks, book.view("<u4")


def _chosen(layer: Layer, count: int, rng: np.random.Generator) -> NDArray[np.bool_]:
    """``count`` of the layer's places, each as likely as the other."""
    chosen = np.zeros(layer.weights, np.bool_)
    missing = count
    while missing:
        chosen[rng.integers(0, layer.weights, missing)] = True
        missing = count - int(np.count_nonzero(chosen))
    return chosen


def measured(layer: Layer, shape: str) -> dict[str, Any]:
    """One layer coded, decoded and compared."""
    rng = np.random.default_rng(SEED)
    ranks, book = ranks_and_book(layer, shape, rng)
    payload = coded_ranks(ranks, book)
    expanded = decode(Coding.SHARED, memoryview(payload), 4 * layer.weights)
    if not np.array_equal(np.frombuffer(expanded, "<u4"), book[ranks]):
        raise AssertionError(f"{layer.name} was not decoded to what was coded")
    size = len(payload) + 4 * layer.biases
    return {
        **asdict(layer),
        "values": len(book) - 1,
        "bytes": size,
        "percent": 100 * size / (4 * (layer.weights + layer.biases)),
    }


def check(shape: str) -> dict[str, Any]:
    rows = []
    for layer in LAYERS:
        started = time.monotonic()
        rows.append(measured(layer, shape))
        print(
            f"{shape} {layer.name}: {layer.weights:,} weights, {rows[-1]['bytes']:,} bytes, "
            f"{rows[-1]['percent']:.2f} %, "
            f"{time.monotonic() - started:.1f} s",
            flush=True,
        )
    total = sum(row["bytes"] for row in rows)
    before = 4 * sum(layer.weights + layer.biases for layer in LAYERS)
    kept = sum(layer.kept * layer.weights for layer in LAYERS)
    return {
        "layers": rows,
        "kept": kept / sum(layer.weights for layer in LAYERS),
        "from_bytes": before,
        "to_bytes": total,
        "ratio": before / total,
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description="VGG-16's shape, synthetic weights: size check only"
    )
    parser.add_argument("--work", type=Path, default=Path())
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    report: dict[str, Any] = {"what": "size check only, synthetic weights", "paper": PAPER}
    for shape in DRAWS:
        report[shape] = found = check(shape)
        print(
            f"size check only, {shape} weights: {found['from_bytes'] / 1e6:.1f} -> "
            f"{found['to_bytes'] / 1e6:.2f} MB, {found['ratio']:.1f}x; "
            f"paper {PAPER['from_mb']} -> {PAPER['to_mb']} MB, {PAPER['ratio']}x"
        )
    chosen.work.mkdir(parents=True, exist_ok=True)
    (chosen.work / "vgg16_size.json").write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
