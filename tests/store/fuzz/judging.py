"""Put a spoiled file through reading and trial, and check what came of it another way."""

from __future__ import annotations

import time
from pathlib import Path
from typing import NamedTuple

from edge_runtime.engine.schema import read_graph
from edge_runtime.errors import ModelRejected
from edge_runtime.store.trial import trial
from edge_runtime.store.trial.verdict import Verdict
from tests.engine.damage import outcome
from tests.store.fuzz.spoiled import Spoiled


class Judged(NamedTuple):
    """What became of a file."""

    by: str
    """``reader``: refused before a process was started. ``trial``: refused by a process that
    ended well. ``death``: the process did not. ``nobody``: it runs and was accepted."""
    seconds: float
    verdict: Verdict


def judge(spoiled: Spoiled, folder: Path) -> Judged:
    """Try the file with a manifest made for it."""
    file = folder / "model.tflite"
    file.write_bytes(spoiled.content)
    began = time.perf_counter()
    verdict = trial.run(file, spoiled.manifest)
    return Judged(_by(spoiled, verdict), time.perf_counter() - began, verdict)


def _by(spoiled: Spoiled, verdict: Verdict) -> str:
    if verdict.ok:
        return "nobody"
    try:
        read_graph(spoiled.content, "spoiled")
    except ModelRejected:
        return "reader"
    return "death" if "failed while" in verdict.reason else "trial"


def wrong(spoiled: Spoiled, judged: Judged, folder: Path) -> str | None:
    """What is wrong with a judgement, or None."""
    if not judged.verdict.ok:
        return None if judged.verdict.reason.strip() else "it was refused without a reason"
    if judged.verdict.figures is None:
        return "it was accepted without having run"
    if (found := outcome(spoiled.content)) != "ran":
        return f"it was accepted, but alone it {found}"
    kept = spoiled.original.manifest
    if spoiled.content != spoiled.original.content and trial.run(folder / "model.tflite", kept).ok:
        return "it was accepted with the manifest of another file"
    return None
