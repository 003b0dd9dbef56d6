"""Recomputes every figure of the smile classifier's model card from the shipped file.

python -m edge_runtime.compress.check_smile --data DIR --model models/smile
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge_runtime.compress.check_glance import invoke_ms
from edge_runtime.compress.face_crops import Portrait, plain_crop, random_crop, read_portraits
from edge_runtime.compress.smile_net import LABELS, SIDE
from edge_runtime.engine.engine import Engine, open_engine

JITTER_SEED = 5


def answers(engine: Engine, portraits: list[Portrait], seed: int | None) -> NDArray[np.int64]:
    """The label given to each portrait's exact crop, or to a random one when there is a seed."""
    rng = np.random.default_rng(seed)
    given = []
    for portrait in portraits:
        exact = seed is None
        crop = plain_crop(portrait, SIDE) if exact else random_crop(portrait, SIDE, rng)
        engine.input()[0, ..., 0] = (crop ^ 0x80).view(np.int8)
        engine.invoke()
        given.append(int(engine.output()[0].argmax()))
    return np.array(given)


def report(data: Path, work: Path, folder: Path) -> None:
    """Print the figures."""
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    file = folder / manifest["model"]
    engine = open_engine(file)
    print(f"{file}: {file.stat().st_size} bytes, {invoke_ms(engine):.3f} ms")
    portraits = read_portraits(data, work, "val")
    wanted = np.array([portrait.label for portrait in portraits])
    for name, seed in (("exact", None), ("jittered", JITTER_SEED)):
        right = answers(engine, portraits, seed) == wanted
        recalls = [float(right[wanted == label].mean()) for label in range(len(LABELS))]
        each = "  ".join(f"{n} {r:.4f}" for n, r in zip(LABELS, recalls, strict=True))
        print(f"{name:9} balanced accuracy {np.mean(recalls):.4f}  {each}  ({len(right)} faces)")


def main() -> None:
    """Read the command line and print."""
    parser = argparse.ArgumentParser(description="Measure a smile model.")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", type=Path, default=Path("models/smile"))
    parser.add_argument("--work", type=Path, default=Path("build/smile"), help="teacher labels")
    args = parser.parse_args()
    report(args.data, args.work, args.model)


if __name__ == "__main__":
    main()
