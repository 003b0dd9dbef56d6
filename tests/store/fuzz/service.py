"""``python -m tests.store.fuzz.service --count 1000``: spoiled models dropped while frames flow.

Each is dropped as a zip with the manifest of the sound model, as people copy them. Frames of the
demo come 30 times a second meanwhile; what they take is compared with before the first drop. Ends
with status 1 when a spoiled model was admitted, one has no reason, or frames were lost.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from edge_runtime.app.assembly import Assembly
from edge_runtime.app.intake import drops_folder, open_shelf
from edge_runtime.app.status import CameraStatus, Status
from edge_runtime.app.supply import Supply
from edge_runtime.capture.source import open_source
from edge_runtime.config import Config, load_config
from edge_runtime.mailbox import Mailbox
from edge_runtime.store.manifest import Manifest
from tests.store.fuzz.spoiled import originals, spoil

FPS = 30.0
BEFORE_S = 10.0
AT_ONCE = 20
"""Drops that lie in the folder together."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.store.fuzz.service", description=__doc__)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        config = load_config(None, {}, {"state_dir": folder})
        drops_folder(config).mkdir(parents=True)
        return judged(config, *frames(config, options.count, options.seed), options.count)


def frames(config: Config, count: int, seed: int) -> tuple[list[float], list[float], float]:
    """Milliseconds of frames before and during the drops, and the frame rate during them."""
    shelf = open_shelf(config)
    before, during = list[float](), list[float]()
    with (
        Assembly(config, shelf=shelf) as assembly,
        open_source("demo://?frames=10000000") as source,
    ):
        pipeline = assembly.pipeline(Mailbox())
        with Supply(
            config, shelf, assembly, [pipeline], Status(CameraStatus("camera", "demo://"))
        ) as supply:
            supply.start()
            waiting = packed(seed, count)
            began, dropping = time.monotonic(), 0.0
            for number, frame in enumerate(source):
                time.sleep(max(0.0, began + number / FPS - time.monotonic()))
                supply.between_frames()
                took = pipeline.process(frame).stage_ms["frame"]
                frame.close()
                now = time.monotonic()
                (during if dropping else before).append(took)
                if now - began > BEFORE_S:
                    dropping = dropping or now
                    if not refill(drops_folder(config), waiting) and settled(config):
                        return before, during, len(during) / (now - dropping)
    raise AssertionError("the demo ended")


def packed(seed: int, count: int) -> Iterator[tuple[str, bytes, bytes]]:
    """Name, manifest and spoiled model."""
    with tempfile.TemporaryDirectory() as folder:
        for number, spoiled in enumerate(spoil(originals(Path(folder)), count, seed)):
            if spoiled.content == spoiled.original.content:
                continue  # a piece of itself was laid over it
            sound = spoiled.original.manifest
            yield f"m{number}.zip", described(sound, f"m{number}"), spoiled.content


def described(manifest: Manifest, name: str) -> bytes:
    """As much of a manifest as people write, with the sound model's checksum."""
    words = {"name": name, "sha256": manifest.sha256, "kind": manifest.kind}
    labels = {"labels": list(manifest.labels)} if manifest.labels else {}
    return json.dumps(words | labels).encode()


def refill(folder: Path, waiting: Iterator[tuple[str, bytes, bytes]]) -> bool:
    """Drop more if few lie there; False when there are none left."""
    if len(list(folder.glob("*.zip"))) >= AT_ONCE:
        return True
    drop = next(waiting, None)
    if drop is not None:
        name, manifest, model = drop
        part = folder / f"{name}.part"
        with zipfile.ZipFile(part, "w") as archive:
            archive.writestr("manifest.json", manifest)
            archive.writestr("model.tflite", model)
        part.rename(folder / name)
    return drop is not None


def settled(config: Config) -> bool:
    """Everything was judged."""
    return not list(drops_folder(config).glob("*.zip"))


def judged(config: Config, before: list[float], during: list[float], fps: float, count: int) -> int:
    folder = drops_folder(config)
    admitted = open_shelf(config).names()
    reasons = len(list((folder / "rejected").glob("*.reason.txt")))
    rows = {
        "dropped": count,
        "admitted": len(admitted),
        "refused, of which reasons are kept": f"{count - len(admitted)}, {reasons}",
        "frame rate during": f"{fps:.1f} of {FPS:g} a second",
        "frame before, median ms": f"{median(before):.2f}",
        "frame during, median ms": f"{median(during):.2f}",
    }
    sys.stdout.write("".join(f"{name:36} {value}\n" for name, value in rows.items()))
    return int(bool(admitted) or not reasons or fps < 0.9 * FPS)


if __name__ == "__main__":
    sys.exit(main())
