"""A recipe's report for people: one HTML file without scripts, and the model's card."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape
from importlib import resources
from string import Template
from typing import Any

from edge_runtime.compress.plots import Point, bars, scatter, short
from edge_runtime.types import JsonObject

NOTHING = "–"
NO_NET = "<p>no torch net to look into</p>"
COLUMNS = (
    "stage",
    "{measure}, 95 % interval",
    "of",
    "parameters",
    "MACs",
    ".tflite bytes",
    ".tflite.edge bytes",
    "latency 1 / 2 / 3 / 4 threads, median ms",
    "p95, 1 thread, ms",
    "peak memory KiB: process / from opening the model",
)
CAVEATS = (
    "The bytes of the .tflite are what the interpreter reads; those of the .tflite.edge are what "
    "is stored and sent, and it is expanded to the .tflite before use. Memory is the highest "
    "resident memory of a child process that opens the .tflite and runs it with one thread; its "
    "second figure includes the interpreter's library."
)


def report_html(report: JsonObject) -> str:
    """The whole page."""
    stages = report["stages"]
    template = resources.files(__package__).joinpath("report.html").read_text("utf-8")
    return Template(template).substitute(
        name=escape(report["name"]),
        description=escape(report["description"]),
        machine=escape(report["machine"]),
        seed=report["seed"],
        Measure=escape(report["measure"].capitalize()),
        caveats=escape(CAVEATS),
        table=_table(_columns(report), [_cells(stage) for stage in stages]),
        bytes_plot=_plot(report, _bytes, "bytes of the .tflite"),
        latency_plot=_plot(report, _latency, "median latency with 1 thread, ms"),
        container_plot=_plot(report, _container, "bytes of the .tflite.edge"),
        macs_plot=_plot(report, lambda stage: stage.get("macs"), "multiply-accumulates"),
        sparsity_plot=_sparsity_bars(stages),
        bits_plot=_bits_bars(stages),
    )


def card(report: JsonObject, notes: str = "") -> str:
    """README.md of the delivered folder: what was measured, then what its makers know."""
    last = report["stages"][-1]
    header = "| " + " | ".join(_columns(report)) + " |\n|" + "---|" * len(COLUMNS)
    rows = "\n".join("| " + " | ".join(_cells(stage)) + " |" for stage in report["stages"])
    return (
        f"# {report['name']}\n\n{report['description']}\n\nMade by `edge-runtime compress` from "
        f"`recipe.toml`, seed {report['seed']}, measured on {report['machine']}. "
        f"`model.tflite`: {_number(last['file']['tflite_bytes'])} bytes, SHA-256 "
        f"`{report['sha256']}`.\n\n{header}\n{rows}\n\n{CAVEATS}\n"
        + (f"\n{notes.strip()}\n" if notes else "")
    )


def _columns(report: JsonObject) -> list[str]:
    return [each.format(measure=report["measure"]) for each in COLUMNS]


def accuracy_of(stage: JsonObject) -> JsonObject | None:
    """The file's accuracy where it was examined, else the net's."""
    found: JsonObject | None = stage.get("file", {}).get("accuracy") or stage.get("accuracy")
    return found


def _cells(stage: JsonObject) -> list[str]:
    file = stage.get("file", {})
    latency = file.get("latency_ms", {})
    accuracy = accuracy_of(stage)
    medians = " / ".join(str(latency[threads]["median"]) for threads in sorted(latency))
    return [
        f"{stage['number']} {stage['do']}",
        _accuracy_text(accuracy),
        NOTHING if accuracy is None else f"{accuracy['total']} ({_examined(stage)})",
        _number(stage.get("parameters")),
        _number(stage.get("macs")),
        _number(file.get("tflite_bytes")),
        _number(file.get("container_bytes")),
        medians or NOTHING,
        str(latency["1"]["p95"]) if latency else NOTHING,
        _memory_text(file),
    ]


def _examined(stage: JsonObject) -> str:
    return "file" if stage.get("file", {}).get("accuracy") else "torch net"


def _accuracy_text(accuracy: JsonObject | None) -> str:
    if accuracy is None:
        return NOTHING
    value, low, high = (100 * accuracy[key] for key in ("value", "low95", "high95"))
    return f"{value:.2f} % ({low:.2f} to {high:.2f})"


def _memory_text(file: JsonObject) -> str:
    if "peak_memory_kib" not in file:
        return NOTHING
    return f"{file['peak_memory_kib']} / {file['peak_memory_of_model_kib']}"


def _number(value: int | None) -> str:
    return NOTHING if value is None else f"{value:,}"


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f"<th>{escape(each)}</th>" for each in columns)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>\n" for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>\n{body}</tbody></table>"


def _plot(report: JsonObject, x_of: Callable[[JsonObject], float | None], label: str) -> str:
    found = [(stage, x_of(stage), accuracy_of(stage)) for stage in report["stages"]]
    points = [
        Point(stage["do"], x, a["value"], a["low95"], a["high95"])
        for stage, x, a in found
        if x and a is not None
    ]
    return scatter(points, x_label=label, y_label=report["measure"])


def _bytes(stage: JsonObject) -> float | None:
    size: float | None = stage.get("file", {}).get("tflite_bytes")
    return size


def _container(stage: JsonObject) -> float | None:
    size: float | None = stage.get("file", {}).get("container_bytes")
    return size


def _latency(stage: JsonObject) -> float | None:
    latency: dict[str, Any] = stage.get("file", {}).get("latency_ms", {})
    return latency["1"]["median"] if latency else None


def _layers(stages: Sequence[JsonObject]) -> list[JsonObject]:
    """Of the last stage that had a torch net."""
    return next((stage["layers"] for stage in reversed(stages) if stage.get("layers")), [])


def _sparsity_bars(stages: Sequence[JsonObject]) -> str:
    rows = [(_layer_name(e), e["sparsity"], f"{e['sparsity']:.1%}") for e in _layers(stages)]
    return bars(rows, title="sparsity of each layer") if rows else NO_NET


def _bits_bars(stages: Sequence[JsonObject]) -> str:
    """Bits of the file's weights, or of an index into a layer's different weights if fewer."""
    most = stages[-1].get("file", {}).get("weight_bits", 32)
    bits = [(each, min(each["index_bits"], most)) for each in _layers(stages)]
    rows = [(_layer_name(each), count / 32, f"{count} bits") for each, count in bits]
    return bars(rows, title="bits of each layer") if rows else NO_NET


def _layer_name(layer: JsonObject) -> str:
    return f"{layer['name']} ({short(layer['weights'])})"
