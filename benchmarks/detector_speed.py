"""How long `face-glance` takes beside detectors many times its size, all under the same runtime.

    python -m benchmarks.detector_speed --work build/speed [--rounds 40] [--core N] [--json]

The others (detector_peers.py) are made with random weights by our own toolkit and kept in --work.
All run in one process, on one core, with one thread, in turns of some milliseconds. Counted is
the thread's own processor time: the clock on the wall also counts the moments a neighbour has the
core, which hit what takes 30 ms and mostly miss what takes 0.2, so it would flatter us. A round's
time is the median of its turn. Quoted is the median of the rounds, and for a ratio the median, 5th
and 95th percentile of the ratios within each round. Timed is the invocation: no picture preparation
before it and no suppression of overlaps behind it.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.detector_peers import BlazeFace, SsdMobileNet
from benchmarks.freest_core import freest_core
from edge_runtime.bench.machine import this_machine
from edge_runtime.compress.converter import float_tflite
from edge_runtime.compress.file_figures import measure_file
from edge_runtime.compress.slim import slim
from edge_runtime.compress.tflite_quantize import quantize_tflite
from edge_runtime.engine.engine import Engine, open_engine
from edge_runtime.engine.inspection import inspect_content

GLANCE = Path("models/face-glance/model.tflite")
PEERS: dict[str, tuple[type[SsdMobileNet | BlazeFace], bool]] = {
    "MobileNet-v1-SSD-300, float32": (SsdMobileNet, False),
    "MobileNet-v1-SSD-300, int8": (SsdMobileNet, True),
    "BlazeFace-sized, float32": (BlazeFace, False),
}
"""What is timed against, and whether it is brought to int8."""
SEED = 1
CALIBRATION = 4
"""Random pictures: ranges do not change the time."""
TURN_S = 0.03
"""A model's turn lasts about so long, one invocation at least."""
WARM_UP = 3

Times = dict[str, list[float]]
"""By model, milliseconds of every round."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--work", type=Path, default=Path("build/speed"))
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--core", type=int, help="the freest one without it")
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    chosen.work.mkdir(parents=True, exist_ok=True)
    files = {"face-glance, int8": GLANCE} | {name: peer(name, chosen.work) for name in PEERS}
    core = freest_core() if chosen.core is None else chosen.core
    report = {"machine": str(this_machine()), "core": core, "rounds": chosen.rounds}
    os.sched_setaffinity(0, {core})
    report["models"] = rows(files, timed(files, chosen.rounds))
    print(json.dumps(report, indent=2) if chosen.json else table(report))


def peer(name: str, work: Path) -> Path:
    """A peer's .tflite, made unless it is there."""
    kind, int8 = PEERS[name]
    file = work / f"{kind.__name__}-{'int8' if int8 else 'float32'}.tflite"
    if not file.is_file():
        torch.manual_seed(SEED)
        noise = torch.rand(CALIBRATION, kind.SIDE, kind.SIDE, 3)
        model = float_tflite(kind(), noise[:1].permute(0, 3, 1, 2))
        inputs = [picture.numpy() for picture in noise.split(1)]
        file.write_bytes(quantize_tflite(model, "int8", inputs) if int8 else slim(model))
    return file


def timed(files: dict[str, Path], rounds: int) -> Times:
    """All in turn, again and again."""
    times: Times = {name: [] for name in files}
    with ExitStack() as opened:
        engines = {
            name: opened.enter_context(open_engine(file, clock=time.thread_time))
            for name, file in files.items()
        }
        for engine in engines.values():
            fill_with_noise(engine)
            turn(engine, WARM_UP)
        counts = {name: max(1, round(TURN_S / e.invoke_s)) for name, e in engines.items()}
        for _ in range(rounds):
            for name, engine in engines.items():
                times[name].append(turn(engine, counts[name]))
    return times


def turn(engine: Engine, count: int) -> float:
    """Milliseconds of one invocation, the median of ``count``."""
    took = []
    for _ in range(count):
        engine.invoke()
        took.append(engine.invoke_s)
    return statistics.median(took) * 1000


def fill_with_noise(engine: Engine) -> None:
    taken = engine.inputs[0]
    noise = np.random.default_rng(SEED).random(taken.shape)
    scaled = noise if taken.dtype.kind == "f" else noise * 255 - 128
    engine.input()[...] = scaled.astype(taken.dtype)


def rows(files: dict[str, Path], times: Times) -> list[dict[str, Any]]:
    """By model what it is, what it takes and how much slower it is than the first."""
    first = next(iter(times.values()))
    return [
        {
            "model": name,
            **cost(files[name]),
            "ms": round(statistics.median(times[name]), 4),
            "times_slower": spread(
                [mine / its for mine, its in zip(times[name], first, strict=True)]
            ),
        }
        for name in files
    ]


def cost(file: Path) -> dict[str, Any]:
    found = inspect_content(file.read_bytes(), file)
    return {
        "macs": found.cost.macs,
        "parameters": found.cost.parameters,
        "bytes": found.bytes,
        "memory_kib": measure_file(file, runs=1)["peak_memory_of_model_kib"],
    }


def spread(ratios: list[float]) -> dict[str, float]:
    low, middle, high = np.percentile(ratios, (5, 50, 95))
    return {
        key: round(float(v), 2)
        for key, v in zip(("median", "p5", "p95"), (middle, low, high), strict=True)
    }


def table(report: dict[str, Any]) -> str:
    """The rows as Markdown."""
    lines = [
        f"{report['machine']}; core {report['core']}, one thread, {report['rounds']} rounds",
        "",
        "| model | MACs | parameters | .tflite bytes | memory, KiB | ms | "
        "times slower (5 to 95 % of rounds) |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in report["models"]:
        slower = row["times_slower"]
        lines.append(
            f"| {row['model']} | {row['macs']:,} | {row['parameters']:,} | {row['bytes']:,} | "
            f"{row['memory_kib']:,} | {row['ms']:.3f} | "
            f"{slower['median']:.1f} ({slower['p5']:.1f} to {slower['p95']:.1f}) |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
