"""Our side of the comparison: the pipeline as ``edge-runtime run`` makes it.

Settings are taken from the environment: EDGE_RUNTIME_DETECTOR__BUDGET=1 is the plain glance.
"""

from __future__ import annotations

import os

import edge_runtime
from benchmarks.peer_process import Looked, marks
from edge_runtime.app.assembly import Assembly
from edge_runtime.capture.glance import glance_of_bgr
from edge_runtime.capture.picture import BgrPicture
from edge_runtime.config import load_config
from edge_runtime.mailbox import Mailbox
from edge_runtime.types import Bgr, Frame


class Ours:
    """Attention and `smile`, shown the same colour pictures as everybody."""

    def __init__(self) -> None:
        self.library = f"edge-runtime {edge_runtime.__version__}"
        config = load_config(None, os.environ, {"classify.models": ["smile"], "engine.threads": 1})
        self._seen = 0
        self._pipeline = Assembly(config).pipeline(Mailbox())

    def look(self, bgr: Bgr, moment: float) -> Looked:
        self._seen += 1
        luma = glance_of_bgr(bgr)
        began = marks()
        snapshot = self._pipeline.process(Frame(self._seen, moment, luma, BgrPicture(bgr)))
        ended = marks()
        boxes = [face.box for face in snapshot.faces]
        return Looked(boxes, (began, ended), self._pipeline.invoke_s)
