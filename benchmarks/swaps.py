"""Models exchanged while frames flow: ``benchmarks/swaps.py [--swaps 200] [--fps 30]``.

Two versions of a classifier take turns. Frames come at a fixed rate with a face in each; every one
must get its result from exactly one of the two. Reports the frames' own time with and without
swaps, how much later than planned a frame began, and the growth of resident memory after the first
tenth of the swaps, by when every buffer has been needed once.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from statistics import median
from typing import NamedTuple

from edge_runtime.app.assembly import Assembly
from edge_runtime.app.intake import open_shelf
from edge_runtime.app.status import CameraStatus, Status
from edge_runtime.app.supply import Supply
from edge_runtime.bench.machine import this_machine
from edge_runtime.capture.source import open_source
from edge_runtime.config import Config, load_config
from edge_runtime.mailbox import Mailbox
from edge_runtime.pipeline import Pipeline
from edge_runtime.store.catalogue import packaged_models
from edge_runtime.store.manifest import read_manifest
from edge_runtime.store.shelf.shelf import Shelf
from edge_runtime.store.shelf.version import Version
from edge_runtime.store.trial.verdict import Verdict

NAME = "swapped"
ROLE = f"classifier/{NAME}"
VERSIONS = ("1.0.0", "2.0.0")
REST_S = 2.0
"""Frames measured before the first swap."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--swaps", type=int, default=200)
    parser.add_argument("--fps", type=float, default=30.0)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        settings = {"state_dir": folder, "models.watch": False, "classify.models": []}
        figures = measure(load_config(None, {}, settings), arguments.swaps, arguments.fps)
    print(json.dumps(figures, indent=2) if arguments.json else text(figures))


def measure(config: Config, swaps: int, fps: float) -> dict[str, object]:
    """Process frames in this thread while another exchanges the classifier."""
    shelf = open_shelf(config)
    versions = [admitted(shelf, number) for number in VERSIONS]
    with Assembly(config, shelf=shelf) as assembly:
        pipeline = assembly.pipeline(Mailbox(), confirm=False)
        with Supply(
            config, shelf, assembly, [pipeline], Status(CameraStatus("camera", "demo://"))
        ) as supply:
            swapping = Swapping(supply, versions, swaps)
            swapping.start()
            rows = frames(pipeline, supply, fps, swapping.done)
            swapping.join()
    return summed_up(rows, swapping.memory, swaps, fps)


class Swapping(threading.Thread):
    """Lets two versions take turns, one swap right after the other."""

    def __init__(self, supply: Supply, versions: list[Version], swaps: int) -> None:
        super().__init__()
        self._supply, self._versions, self._swaps = supply, versions, swaps
        self.memory: list[int] = []
        """Resident KiB after each swap."""
        self.done = threading.Event()

    def run(self) -> None:
        time.sleep(REST_S)
        for number in range(self._swaps):
            version = self._versions[number % len(self._versions)]
            self._supply.activator.activate(ROLE, version, who="benchmark", why="its turn")
            self._supply.activator.tend()
            self.memory.append(resident_kib())
        self.done.set()


class Row(NamedTuple):
    """One frame."""

    late_ms: float
    """How much later than planned it began."""
    took_ms: float
    swapped: bool
    """The first swap was over."""
    answers: list[set[str]]
    """Who answered, for each face."""


def frames(pipeline: Pipeline, supply: Supply, fps: float, done: threading.Event) -> list[Row]:
    """Frames of the demo at their time, until ``done``."""
    rows: list[Row] = []
    began = time.monotonic()
    with open_source("demo://?frames=1000000") as source:
        for number, frame in enumerate(source):
            due = began + number / fps
            time.sleep(max(0.0, due - time.monotonic()))
            late = time.monotonic() - due
            supply.between_frames()
            snapshot = pipeline.process(frame)
            frame.close()
            supply.look(snapshot)
            playing = [m.version for m in snapshot.models if m.name == NAME]
            answers = [set(face.labels) for face in snapshot.faces]
            rows.append(Row(late * 1000, snapshot.stage_ms["frame"], bool(playing), answers))
            if len(playing) > 1 or not set(playing) <= set(VERSIONS):
                raise SystemExit(f"frame {number} was classified by {playing}")
            if done.is_set():
                break
    return rows


def summed_up(rows: list[Row], memory: list[int], swaps: int, fps: float) -> dict[str, object]:
    """Frames before the first swap against those after it."""
    calm, busy = [r for r in rows if not r.swapped], [r for r in rows if r.swapped]
    answers = [labels for row in busy for labels in row.answers]
    return {
        "machine": str(this_machine()),
        "swaps": swaps,
        "frames": len(busy),
        "swaps_per_s": round(swaps / (len(busy) / fps), 1),
        "faces": len(answers),
        "faces_with_one_answer": sum(labels == {NAME} for labels in answers),
        "frame_ms_before": spread(row.took_ms for row in calm),
        "frame_ms_during": spread(row.took_ms for row in busy),
        "late_ms_before": spread(row.late_ms for row in calm),
        "late_ms_during": spread(row.late_ms for row in busy),
        "memory_growth_kib": memory[-1] - memory[len(memory) // 10],
    }


def admitted(shelf: Shelf, number: str) -> Version:
    """The shipped smile classifier under another name and version."""
    folder = (packaged_models() or Path("models")) / "smile"
    fields = json.loads((folder / "manifest.json").read_text("utf-8"))
    described = json.dumps({**fields, "name": NAME, "version": number}).encode()
    with tempfile.TemporaryDirectory() as place:
        (Path(place) / "manifest.json").write_bytes(described)
        manifest = read_manifest(Path(place) / "manifest.json")
    files = {"model.tflite": (folder / "model.tflite").read_bytes(), "manifest.json": described}
    return shelf.admit(manifest, files, Verdict(True, "shipped", manifest.sha256))


def spread(values: Iterable[float]) -> dict[str, float]:
    """Median, 99th percentile and largest."""
    ordered = sorted(values)
    if not ordered:
        return {}
    return {
        "median": round(median(ordered), 3),
        "p99": round(ordered[int(0.99 * (len(ordered) - 1))], 3),
        "largest": round(ordered[-1], 3),
    }


def resident_kib() -> int:
    """Of this process."""
    pages = int(Path("/proc/self/statm").read_text("utf-8").split()[1])
    return pages * 4


def text(figures: dict[str, object]) -> str:
    """A line a figure."""
    return "\n".join(f"{name:22} {value}" for name, value in figures.items())


if __name__ == "__main__":
    main()
