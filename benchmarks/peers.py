"""Our pipeline beside what a user would pick instead, in one run, on the same frames and core.

    python -m benchmarks.peers --data DIR [--ssd FILE]... [--cores N]

DIR holds ``videos/`` (clips ``person_*`` with a face in every frame, ``empty-room.mp4`` without)
and ``teachers/`` (the peers' ONNX files). Everybody runs in a process of its own, on the same core,
with one thread, and is followed by the same classifier; they take turns of 30 frames, in another
order each time (the slowest one turn in four). Frames are decoded beforehand. Memory is the
process's peak without the frames it holds.

The peers' environment is made in ``--work`` on the first run. ``--ssd`` names .tflite files of
SSD-MobileNet's shape (benchmarks/detector_speed.py makes them), which are only timed. Writes the
JSON and, between its markers, the table of docs/performance.md; with ``--only`` or ``--most``,
which show a part, it only prints.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

from benchmarks.freest_core import freest_core
from benchmarks.peer_clips import Clips, Segment
from benchmarks.peer_detectors import PEERS, SSD, Entry, YuNet
from benchmarks.peer_energy import Wattmeter
from benchmarks.peer_figures import Kind, Turn, goals, row
from benchmarks.peer_process import OURS, Corner
from benchmarks.peer_table import table
from benchmarks.peer_venv import fixed_onnx, peers_python
from benchmarks.performance_page import PAGE, RESULTS, put, today
from edge_runtime.bench.machine import this_machine

SLOW, SLOW_EVERY = ("haar",), 4
"""Who takes longest, as the SSD shapes do, is shown one turn in so many."""
TRUTH_SIZE = (640, 480)
TITLE = "edge-runtime: face-glance, tracker, smile"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--ssd", type=Path, action="append", default=[])
    parser.add_argument("--cores", help="such as 1 or 0,1; the freest one without it")
    parser.add_argument("--work", type=Path, default=Path("build/peers"))
    parser.add_argument("--only", help="names such as mediapipe,haar; everybody without it")
    parser.add_argument("--most", type=int, help="turns on each kind of frames; all without it")
    parser.add_argument("--json", type=Path, default=RESULTS / "peers.json")
    parser.add_argument("--page", type=Path, default=PAGE)
    chosen = parser.parse_args()
    chosen.work.mkdir(parents=True, exist_ok=True)
    report = measured(chosen)
    print(table(report))
    if not (chosen.only or chosen.most):
        chosen.json.parent.mkdir(parents=True, exist_ok=True)
        chosen.json.write_text(json.dumps(report, indent=1) + "\n")
        put(chosen.page, "peers", table(report))


def measured(chosen: argparse.Namespace) -> dict[str, Any]:
    """Everybody through all clips."""
    cores = chosen.cores or str(freest_core())
    with ExitStack() as opened:
        ring = Ring(chosen, cores, opened)
        turns = ring.turns()
        energy = {name: ring.energy(name) for name in ring.corners}
    names = list(ring.corners)
    rows = [
        {"name": name, "title": ring.titles[name], "library": ring.corners[name].library}
        | row(name, turns)
        | {"energy_mj": energy[name]}
        for name in names
    ]
    return {
        "date": today(),
        "machine": str(this_machine()),
        "cores": cores,
        "command": "python -m benchmarks.peers --data DIR" + " --ssd FILE" * len(chosen.ssd),
        "turns": {kind: sum(t.kind == kind for t in turns) for kind in ("face", "still", "empty")},
        "rows": rows,
        "goals": [each._asdict() for each in goals(turns, names)],
        "left_out": ring.left_out,
    }


class Ring:
    """Everybody who could be had, and the frames they are shown."""

    def __init__(self, chosen: argparse.Namespace, cores: str, opened: ExitStack) -> None:
        self.corners: dict[str, Corner] = {}
        self.titles: dict[str, str] = {}
        self.left_out: list[dict[str, str]] = []
        self._cores, self._opened, self._work = cores, opened, chosen.work
        self._models = chosen.data / "teachers"
        self._python = self._peers_python()
        self._clips = Clips(chosen.data / "videos", self._truth(), chosen.most)
        self._watts = Wattmeter()
        folder = opened.enter_context(tempfile.TemporaryDirectory(dir=chosen.work))
        self._frames = Path(folder).absolute() / "frames.npy"
        self._enter(OURS, TITLE, Path(sys.executable), None)
        wanted = chosen.only.split(",") if chosen.only else PEERS
        for name in wanted:
            self._enter_peer(name, PEERS[name])
        self._enter_shapes(chosen.ssd)

    def turns(self) -> list[Turn]:
        """One for each segment; the first, shown twice, warms everybody up."""
        done: list[Turn] = []
        for segment in self._clips.segments():
            if not done:
                self._turn(segment, 0)
            done.append(self._turn(segment, len(done)))
            print(f"\rturn {len(done)}, {segment.clip}\033[K", end="", file=sys.stderr, flush=True)
        print(file=sys.stderr)
        return [turn for turn, counts in zip(done, self._clips.counts, strict=True) if counts]

    def _turn(self, segment: Segment, number: int) -> Turn:
        segment.save(self._frames)
        names = [name for name in self.corners if plays(name, segment.kind, number)]
        start = number % len(names)
        answers = {
            name: self.corners[name].turn(self._frames, segment.at, segment.fps)
            for name in names[start:] + names[:start]
        }
        return Turn(segment.kind, segment.truth, answers)

    def energy(self, name: str) -> float | None:
        """Millijoules a frame of the whole chip, on the last frames with a face; None unread."""
        corner, clips = self.corners[name], self._clips
        clips.last_with_face.save(self._frames)
        return self._watts.per_frame_mj(
            lambda: corner.turn(self._frames, clips.later(), clips.last_with_face.fps),
            len(clips.last_with_face.frames),
        )

    def _peers_python(self) -> Path | None:
        try:
            return peers_python(self._work / "venv").absolute()
        except (RuntimeError, OSError) as error:
            self._leave_out("the peers' environment", str(error))
            return None

    def _truth(self) -> YuNet | None:
        """Who says where the face is: YuNet on the full frame."""
        source = self._models / "yunet_n_dynamic.onnx"
        if self._python is None or not source.is_file():
            return None
        return YuNet(TRUTH_SIZE, fixed_onnx(self._python, source, TRUTH_SIZE, self._work))

    def _enter_peer(self, name: str, entry: Entry) -> None:
        python = Path(sys.executable) if entry.home == "own" else self._python
        file = self._models / entry.model if entry.model else None
        if python is None or self._python is None:
            return self._leave_out(entry.title, "it needs the peers' environment")
        if file and not file.is_file():
            return self._leave_out(entry.title, f"there is no teachers/{file.name}")
        if file and entry.size:
            file = fixed_onnx(self._python, file, entry.size, self._work)
        return self._enter(name, entry.title, python, file)

    def _enter_shapes(self, files: list[Path]) -> None:
        if not files:
            self._leave_out("SSD-MobileNet-300", "no --ssd FILE")
        for file in files:
            title = f"{file.stem}, random weights, ai-edge-litert"
            self._enter(f"{SSD}-{file.stem}", title, Path(sys.executable), file)

    def _enter(self, name: str, title: str, python: Path, file: Path | None) -> None:
        try:
            corner = Corner(python, name, cores=self._cores, file=file and file.absolute())
        except RuntimeError as error:
            return self._leave_out(title, str(error))
        self._opened.enter_context(closing(corner))
        self.corners[name], self.titles[name] = corner, title
        return None

    def _leave_out(self, title: str, reason: str) -> None:
        self.left_out.append({"title": title, "reason": reason})


def plays(name: str, kind: Kind, number: int) -> bool:
    """Whether a contender is shown the turn of that number.

    What has random weights finds nothing anywhere and need not be shown an empty room.
    """
    if name.startswith(SSD) and kind == "empty":
        return False
    slow = name.startswith(SSD) or name in SLOW
    return not slow or kind == "still" or number % SLOW_EVERY == 0


if __name__ == "__main__":
    main()
