"""What every shipped model answers to fixed inputs, as hashes: to compare processors bit by bit.

Runs on its own too, wherever edge_runtime can be imported: ``python3 outputs.py MODELS`` prints
JSON. Bit-identical outputs need XNNPACK on both sides; without it ARM rounds in another way.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

import numpy as np

from edge_runtime.store.model import load_model

ROUNDS = 20
SEED = 11


def hashes(models: Path, *, xnnpack: bool = True) -> dict[str, str]:
    """Model to the SHA-256 of its outputs over ``ROUNDS`` seeded inputs."""
    return {
        folder.name: hash_of(folder, xnnpack=xnnpack)
        for folder in sorted(models.iterdir())
        if (folder / "manifest.json").exists()
    }


def hash_of(folder: Path, *, xnnpack: bool) -> str:
    digest = hashlib.sha256()
    noise = np.random.default_rng(SEED)
    with load_model(folder).open_engine(xnnpack=xnnpack) as engine:
        for _ in range(ROUNDS):
            for index, tensor in enumerate(engine.inputs):
                values = noise.integers(-128, 128, tensor.shape)
                engine.input(index)[...] = values.astype(tensor.dtype)
            engine.invoke()
            for index in range(len(engine.outputs)):
                digest.update(np.ascontiguousarray(engine.output(index)).tobytes())
    return digest.hexdigest()


if __name__ == "__main__":
    sys.stdout.write(json.dumps(hashes(Path(sys.argv[1]))) + "\n")
