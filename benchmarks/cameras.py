"""Several cameras in one process: ``benchmarks/cameras.py [--cameras 1 2 4] [--seconds 30]``.

Each camera is a demo that draws 640x480 at 15 frames a second, with one face, in its own thread.
Reports frames dropped, in all and after the first two seconds, by when models and page are open;
latency from the picture being taken to its result (the worst camera's p95); and processor time per
frame: of the whole process, and of the thread that looks at the frames, which cameras share. The
drawing belongs to the demo, not to the runtime, and is part of the first figure only.

On a machine that others use, ``chrt -f 10 python benchmarks/cameras.py`` takes the cores alone.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import threading
import time
from pathlib import Path

from edge_runtime.app.runtime import Runtime
from edge_runtime.app.summary import Summary
from edge_runtime.bench.machine import this_machine
from edge_runtime.config import Config, load_config

WARM_UP_S = 2.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cameras", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--fps", type=float, default=15.0)
    parser.add_argument("--size", default="640x480")
    parser.add_argument("--faces", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    uri = f"demo://?size={options.size}&fps={options.fps:g}&faces={options.faces}"
    rows = [measured(count, uri, options.seconds) for count in options.cameras]
    figures = {
        "machine": str(this_machine()),
        "cores": len(os.sched_getaffinity(0)),
        "load_before": round(os.getloadavg()[0], 1),
        "source": uri,
        "seconds": options.seconds,
        "runs": rows,
    }
    print(json.dumps(figures, indent=2) if options.json else text(figures, rows))


def measured(count: int, uri: str, seconds: float) -> dict[str, object]:
    """One run of ``count`` cameras."""
    with tempfile.TemporaryDirectory() as folder, Runtime(config(count, uri, folder)) as runtime:
        stop, early = threading.Event(), list[int]()
        stopper = threading.Timer(seconds, stop.set)
        watcher = threading.Timer(WARM_UP_S, lambda: early.append(dropped(runtime)))
        stopper.start()
        watcher.start()
        process_s, thread_s = time.process_time(), time.thread_time()
        summary = runtime.run(stop)
        process_s, thread_s = time.process_time() - process_s, time.thread_time() - thread_s
        for timer in (stopper, watcher):
            timer.cancel()
        return row(summary, process_s, thread_s) | {
            "dropped": dropped(runtime),
            "dropped_after_start": dropped(runtime) - sum(early),
        }


def dropped(runtime: Runtime) -> int:
    """Frames so far, of all cameras."""
    snapshots = (camera.snapshot() for camera in runtime.status.cameras())
    return sum(each.rates.dropped for each in snapshots if each is not None)


def config(count: int, uri: str, folder: str) -> Config:
    """Cameras come from a file only; each draws other faces."""
    tables = [
        f'[[camera]]\nname = "camera-{number}"\nuri = "{uri}&seed={number}"\n'
        for number in range(1, count + 1)
    ]
    path = Path(folder) / "config.toml"
    path.write_text("\n".join(tables), "utf-8")
    settings = {"web.enabled": False, "models.watch": False, "state_dir": folder}
    return load_config(path, {}, settings)


def row(summary: Summary, process_s: float, thread_s: float) -> dict[str, object]:
    """A run's figures."""
    line = summary.as_json()
    lasts = [camera.last for camera in summary.cameras if camera.last is not None]
    return {
        "cameras": len(summary.cameras),
        "frames": summary.frames,
        "fps": line["fps"],
        "least_frames_of_a_camera": min(each.tally.frames for each in summary.cameras),
        "most_frames_of_a_camera": max(each.tally.frames for each in summary.cameras),
        "age_p95_ms": round(max(last.latency["age"].p95 for last in lasts), 2),
        "frame_p95_ms": round(max(last.latency["frame"].p95 for last in lasts), 2),
        "cpu_ms_per_frame": round(1000 * process_s / summary.frames, 2),
        "loop_cpu_ms_per_frame": round(1000 * thread_s / summary.frames, 2),
        "peak_memory_mb": line["peak_memory_mb"],
    }


def text(figures: dict[str, object], rows: list[dict[str, object]]) -> str:
    """The conditions, then a table with a column for each run."""
    head = [f"{name}: {value}" for name, value in figures.items() if name != "runs"]
    table = [f"{name:26}" + "".join(f"{run[name]!s:>10}" for run in rows) for name in rows[0]]
    return "\n".join([*head, "", *table])


if __name__ == "__main__":
    main()
