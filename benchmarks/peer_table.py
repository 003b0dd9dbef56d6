"""The comparison as Markdown."""

from __future__ import annotations

from typing import Any

from benchmarks.peer_figures import FOUND_IOU, Goal
from benchmarks.performance_page import cell

HEAD = (
    "| | ms, p50 | ms, p95 | detector alone, ms | CPU, ms | times ours (5 to 95 % of turns) "
    "| nothing moving: CPU, ms | peak memory, MiB | face found | any face found "
    "| false faces | mJ |"
)


def table(report: dict[str, Any]) -> str:
    """Machine, rows, who is missing, and what the issue wants shown."""
    turns = report["turns"]
    lines = [
        f"{report['date']}, {report['machine']}; core {report['cores']}, one thread; "
        f"turns of 30 frames: {turns['face']} with a face, {turns['still']} of a still room, "
        f"{turns['empty']} of an empty room. Command: `{report['command']}`.",
        "",
        HEAD,
        "|---" * (HEAD.count("|") - 1) + "|",
        *map(line, report["rows"]),
        "",
        f"Face found: IoU of at least {FOUND_IOU} with YuNet's box at 640x480, in "
        f"{known(report['rows'])} of {recorded(report['rows'])}. False faces: in "
        f"{empty(report['rows'])} of a room where nobody shows a face. Who has fewer frames in the "
        "JSON (the slowest) was shown one turn in four.",
    ]
    lines += [f"Left out: {each['title']} ({each['reason']})." for each in report["left_out"]]
    lines += ["", *(f"- {Goal(**each)}" for each in report["goals"])]
    return "\n".join(lines)


def line(row: dict[str, Any]) -> str:
    wall, alone, times = (row[key] or {} for key in ("wall_ms", "alone_wall_ms", "times_ours"))
    recall, false = row["recall"] or {}, row["false_faces"] or {}
    real = not row["name"].startswith("ssd")
    cells = [
        f"{row['title']} ({row['library']})",
        cell(wall.get("p50")),
        cell(wall.get("p95")),
        "-" if row["name"] == "ours" else cell(alone.get("p50")),
        cell(row["cpu_ms"]),
        spread(times),
        cell(row["still_cpu_ms"]),
        cell(row["memory_mib"], 0),
        share(recall.get("overlap")) if real else "-",
        share(recall.get("any")) if real else "-",
        cell(false.get("faces"), 0) if real else "-",
        cell(row["energy_mj"]),
    ]
    return f"| {' | '.join(cells)} |"


def spread(times: dict[str, float]) -> str:
    if not times or times["p5"] == times["p95"] == 1:
        return "1" if times else "-"
    return f"{times['median']:.1f} ({times['p5']:.1f} to {times['p95']:.1f})"


def share(value: float | None) -> str:
    return "-" if value is None else f"{value:.1%}"


def known(rows: list[dict[str, Any]]) -> str:
    counts = {row["recall"]["known"] for row in rows if row["recall"]}
    return f"{max(counts, default=0):,}"


def recorded(rows: list[dict[str, Any]]) -> str:
    counts = {row["recall"]["frames"] for row in rows if row["recall"]}
    return f"{max(counts, default=0):,} with a face"


def empty(rows: list[dict[str, Any]]) -> str:
    counts = {row["false_faces"]["frames"] for row in rows if row["false_faces"]}
    return f"{max(counts, default=0):,} frames"
