"""The loop: a Frame in, a Snapshot out; models are exchanged between two frames."""

from __future__ import annotations

from edge_runtime.pipeline.labeller import Labeller, Turn
from edge_runtime.pipeline.pipeline import Inflow, Pipeline

__all__ = ["Inflow", "Labeller", "Pipeline", "Turn"]
