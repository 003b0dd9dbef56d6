"""How the cost of a frame grows: with faces, with the picture, with classifiers.

    python -m benchmarks.growth --data DIR [--rounds 15] [--core N]

DIR holds ``faces/lfw`` and ``faces/lfw_val.csv``: portraits that are pasted into a scene, where
they move slowly. All cases live in one process, on one core, with one thread, and take turns of 30
frames. Quoted are medians of the turns' means of the thread's own processor time, without making
the small plane; ratios are taken within each round. Writes the JSON, the plots and, between its
markers, the tables of docs/performance.md.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from benchmarks.freest_core import freest_core
from benchmarks.growth_cases import by_classifiers, by_faces, by_size, closing_all, measure
from benchmarks.performance_page import PAGE, RESULTS, cell, put, today
from benchmarks.plots import Curve, Plot, svg
from edge_runtime.bench.machine import this_machine

MOST_TIMES = 3.0
"""What 50 faces may cost, in times of one."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--core", type=int, help="the freest one without it")
    parser.add_argument("--json", type=Path, default=RESULTS / "growth.json")
    parser.add_argument("--images", type=Path, default=PAGE.parent / "images")
    parser.add_argument("--page", type=Path, default=PAGE)
    chosen = parser.parse_args()
    report = measured(chosen.data, chosen.rounds, chosen.core)
    chosen.json.parent.mkdir(parents=True, exist_ok=True)
    chosen.json.write_text(json.dumps(report, indent=1) + "\n")
    for name, plot in plots(report).items():
        (chosen.images / f"growth-{name}.svg").write_text(svg(plot))
    put(chosen.page, "growth", page(report))
    print(page(report))


def measured(data: Path, rounds: int, core: int | None) -> dict[str, Any]:
    core = freest_core() if core is None else core
    machine = str(this_machine())
    os.sched_setaffinity(0, {core})
    with ExitStack() as opened:
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory()))
        series = {
            "faces": by_faces(data),
            "size": by_size(data),
            "classifiers": by_classifiers(data, folder),
        }
        for each in closing_all(list(series.values())):
            opened.enter_context(each)
        measure(list(series.values()), rounds)
        points = {name: each.points() for name, each in series.items()}
    return {
        "date": today(),
        "machine": machine,
        "core": core,
        "rounds": rounds,
        "command": "python -m benchmarks.growth --data DIR",
        **points,
    }


def plots(report: dict[str, Any]) -> dict[str, Plot]:
    """A picture for each question."""
    faces = [p for p in report["faces"] if p["label"] != "0, still"]
    one = next(p for p in faces if p["x"] == 1)["cpu_ms"]
    size, classifiers = report["size"], report["classifiers"]
    return {
        "faces": Plot(
            "More faces",
            "faces in the picture, 640x480, one classifier",
            "ms of processor time a frame",
            [Curve("whole frame", curve(faces))],
            [(p["x"], p["label"]) for p in faces if p["x"] not in (1, 2)],
            goal=(MOST_TIMES * one, f"{MOST_TIMES:g} times one face"),
        ),
        "size": Plot(
            "Larger pictures",
            "picture, one face",
            "ms of processor time a frame",
            [
                Curve("whole frame", curve(size)),
                Curve("making the small plane", curve(size, "plane_ms")),
            ],
            [(p["x"], p["label"]) for p in size],
            logarithmic=True,
        ),
        "classifiers": Plot(
            "More classifiers",
            "classifiers, one face, 640x480",
            "ms of processor time a frame",
            [Curve("whole frame", curve(classifiers))],
            [(p["x"], p["label"]) for p in classifiers],
        ),
    }


def curve(points: list[dict[str, Any]], key: str = "cpu_ms") -> list[tuple[float, float]]:
    return [(point["x"], point[key]) for point in points]


def page(report: dict[str, Any]) -> str:
    """The tables, each under its picture."""
    lines = [
        f"{report['date']}, {report['machine']}; core {report['core']}, one thread, "
        f"{report['rounds']} rounds of 30 frames. Command: `{report['command']}`.",
        "",
        f"- {goal(report['faces'])}",
    ]
    for name, head in (("faces", "faces"), ("size", "picture"), ("classifiers", "classifiers")):
        lines += ["", f"![The curve of the table below](images/growth-{name}.svg)", ""]
        lines += table(report[name], head)
    return "\n".join(lines)


def goal(points: list[dict[str, Any]]) -> str:
    """What issue 5 wants shown."""
    times = points[-1]["times"]
    verdict = "met" if times <= MOST_TIMES else "missed"
    return (
        f"50 faces cost at most {MOST_TIMES:g} times one face with the default cadence: "
        f"{times:.1f} times, {points[-1]['faces']:.0f} of {points[-1]['x']:.0f} faces found "
        f"({verdict})"
    )


def table(points: list[dict[str, Any]], head: str) -> list[str]:
    lines = [
        f"| {head} | found | CPU, ms | times | quickest turn, ms | on the wall, ms "
        "| making the small plane, ms |",
        "|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {p['label']} | {p['faces']:.0f} | {cell(p['cpu_ms'])} | {p['times']:.2f} | "
        f"{cell(p['low_ms'])} | {cell(p['wall_ms'])} | {cell(p['plane_ms'])} |"
        for p in points
    ]
    return lines


if __name__ == "__main__":
    main()
