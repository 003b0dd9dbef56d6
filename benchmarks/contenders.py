"""Our pipeline, and peers followed by our classifier, behind one call a frame."""

from __future__ import annotations

from pathlib import Path

import cv2

from benchmarks.peer_detectors import PEERS, SSD, Peer, TfliteShape
from benchmarks.peer_process import OURS, Contender, Looked, marks
from edge_runtime.attention.crop import cut
from edge_runtime.capture.picture import BgrPicture
from edge_runtime.classify import Classifier
from edge_runtime.store.catalogue import Catalogue
from edge_runtime.types import Bgr, Region

CLASSIFIER = "smile"


def open_contender(name: str, file: Path | None) -> Contender:
    """Models loaded, one thread each; whoever asks ends with the process."""
    cv2.setNumThreads(1)
    if name == OURS:
        from benchmarks.our_side import Ours  # noqa: PLC0415 - peers' memory must not pay for it

        return Ours()
    if name.startswith(SSD):
        return Followed(TfliteShape(file or Path()))
    return Followed(PEERS[name].open(file or Path()))


class Followed:
    """A peer's faces, each shown to our classifier, in every frame."""

    def __init__(self, peer: Peer) -> None:
        self.library = peer.library
        self._peer = peer
        model = Catalogue().find(CLASSIFIER)
        self._classifier = Classifier(model.open_engine(threads=1), model.manifest)

    def look(self, bgr: Bgr, moment: float) -> Looked:
        del moment
        began = marks()
        boxes = self._peer.find(bgr)
        found = marks()
        picture, spec = BgrPicture(bgr), self._classifier.crop_spec
        regions = (Region(number, box, 1.0) for number, box in enumerate(boxes))
        self._classifier.classify([cut(picture, region, spec) for region in regions])
        return Looked(boxes, (began, found))
