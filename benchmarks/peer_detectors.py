"""What a user would pick instead of ours: each by its own best public interface, one class each.

A peer is shown a decoded picture and says where the faces are, in that picture's pixels. Making the
picture fit its input is part of its work, as it is part of ours. Thresholds are those that each
one's own examples use.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple, Protocol

import cv2
import numpy as np
import numpy.typing as npt

from edge_runtime.attention.overlap import suppress
from edge_runtime.types import Bgr, Box

Size = tuple[int, int]
Reals = npt.NDArray[np.float32]


class Peer(Protocol):
    """A face detector as its makers offer it."""

    library: str
    """What runs it, with its version."""

    def find(self, bgr: Bgr) -> list[Box]:
        """The faces of a picture, in its pixels."""


class YuNet:
    """OpenCV's FaceDetectorYN; 0.6 is the threshold of OpenCV's model zoo."""

    def __init__(self, size: Size, file: Path) -> None:
        self.library = f"OpenCV {cv2.__version__}"
        self._size = size
        self._net = cv2.FaceDetectorYN.create(str(file), "", size, 0.6)

    def find(self, bgr: Bgr) -> list[Box]:
        whole = bgr.shape[1], bgr.shape[0]
        shown = bgr if whole == self._size else cv2.resize(bgr, self._size)
        found: Any = self._net.detect(shown)[1]  # None when there is no face
        if found is None:
            return []
        # Best first, whatever order suppression left them in.
        rows = sorted(np.asarray(found), key=lambda row: -row[14])
        return [scaled(row[:4], self._size, whole) for row in rows]


class UltraLight:
    """Ultra-Light-Fast-Generic-Face-Detector in onnxruntime, as its detect_imgs_onnx.py does it."""

    SIZE: Final = (320, 240)
    THRESHOLD, OVERLAP = 0.7, 0.3

    def __init__(self, file: Path) -> None:
        runtime: Any = import_module("onnxruntime")
        options = runtime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self.library = f"onnxruntime {runtime.__version__}"
        self._net = runtime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
        self._input = self._net.get_inputs()[0].name

    def find(self, bgr: Bgr) -> list[Box]:
        rgb = cv2.cvtColor(cv2.resize(bgr, self.SIZE), cv2.COLOR_BGR2RGB)
        planes = ((rgb.astype(np.float32) - 127) / 128).transpose(2, 0, 1)[None]
        scores, corners = self._net.run(None, {self._input: planes})
        likely = scores[0, :, 1] > self.THRESHOLD
        boxes = boxes_of_corners(corners[0][likely], (bgr.shape[1], bgr.shape[0]))
        kept = suppress(boxes, scores[0, likely, 1], self.OVERLAP)
        return [Box(*row) for row in boxes[kept].tolist()]


class MediaPipe:
    """MediaPipe's face detector for near faces (BlazeFace), with the model its package carries."""

    def __init__(self) -> None:
        package: Any = import_module("mediapipe")
        self.library = f"mediapipe {package.__version__}"
        self._net = package.solutions.face_detection.FaceDetection(
            model_selection=0, min_detection_confidence=0.5
        )

    def find(self, bgr: Bgr) -> list[Box]:
        found = self._net.process(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)).detections or ()
        size = bgr.shape[1], bgr.shape[0]
        parts = (each.location_data.relative_bounding_box for each in found)
        return [scaled((p.xmin, p.ymin, p.width, p.height), (1, 1), size) for p in parts]


class Haar:
    """OpenCV's cascade; factors are those of nearly every example, and flatter it: few scales."""

    def __init__(self) -> None:
        library: Any = cv2  # OpenCV 5 has it no more
        self.library = f"OpenCV {cv2.__version__}"
        self._net = library.CascadeClassifier(
            str(Path(library.data.haarcascades) / "haarcascade_frontalface_default.xml")
        )

    def find(self, bgr: Bgr) -> list[Box]:
        grey = cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY)
        rows = self._net.detectMultiScale(grey, scaleFactor=1.1, minNeighbors=5, minSize=(30, 30))
        return [Box(*map(float, row)) for row in rows]


class TfliteShape:
    """A .tflite that is only timed: its weights are random, so it always says one face.

    Its input is filled as its makers do it; its outputs are copied out and not decoded.
    """

    def __init__(self, file: Path) -> None:
        runtime: Any = import_module("ai_edge_litert.interpreter")
        self.library = "ai-edge-litert"
        self._net = runtime.Interpreter(str(file), num_threads=1)
        self._net.allocate_tensors()
        taken = self._net.get_input_details()[0]
        self._input, self._dtype = taken["index"], taken["dtype"]
        self._size = taken["shape"][2], taken["shape"][1]
        self._outputs = [each["index"] for each in self._net.get_output_details()]

    def find(self, bgr: Bgr) -> list[Box]:
        rgb = cv2.cvtColor(cv2.resize(bgr, self._size), cv2.COLOR_BGR2RGB)
        self._net.set_tensor(self._input, self._brought(rgb)[None])
        self._net.invoke()
        for output in self._outputs:
            self._net.get_tensor(output)
        height, width = bgr.shape[:2]
        return [Box(0.4 * width, 0.3 * height, 0.15 * width, 0.2 * width)]

    def _brought(self, rgb: npt.NDArray[Any]) -> npt.NDArray[Any]:
        if self._dtype == np.float32:
            return rgb.astype(np.float32) / 127.5 - 1
        return (rgb ^ 0x80).view(np.int8) if self._dtype == np.int8 else rgb


def scaled(box: Sequence[float] | Reals, size: Size, whole: Size) -> Box:
    """A box in a picture of ``size`` as it lies in the same picture at size ``whole``."""
    x, y, w, h = map(float, box)
    across, down = whole[0] / size[0], whole[1] / size[1]
    return Box(x * across, y * down, w * across, h * down)


def boxes_of_corners(corners: Reals, whole: Size) -> Reals:
    """Shares of a picture (left, top, right, bottom) as left, top, width, height in pixels."""
    places = corners * np.array([*whole, *whole], np.float32)
    places[:, 2:] -= places[:, :2]
    return places


Home = Literal["own", "peers"]
"""Whose Python runs it: the one we run in, or the peers' own environment."""


class Entry(NamedTuple):
    """A peer's row in the table."""

    title: str
    home: Home
    model: str | None
    """Its file in the folder of models; None when its package carries it."""
    open: Callable[[Path], Peer]
    size: Size | None = None
    """The input size its file is to be fixed to."""


def _yunet(size: Size) -> Entry:
    title = f"YuNet n {size[0]}x{size[1]}, OpenCV FaceDetectorYN"
    return Entry(title, "own", "yunet_n_dynamic.onnx", lambda file: YuNet(size, file), size)


def _ultra_light(kind: str) -> Entry:
    name = f"ultralight_version-{kind}-320.onnx"
    return Entry(f"Ultra-Light {kind} 320x240, onnxruntime", "peers", name, UltraLight)


PEERS: Final[dict[str, Entry]] = {
    "yunet-160": _yunet((160, 128)),
    "yunet-320": _yunet((320, 256)),
    "yunet-640": _yunet((640, 480)),
    "ultralight-rfb": _ultra_light("RFB"),
    "ultralight-slim": _ultra_light("slim"),
    "mediapipe": Entry("MediaPipe face detector", "peers", None, lambda file: MediaPipe()),
    "haar": Entry("OpenCV Haar cascade", "peers", None, lambda file: Haar()),
}
SSD: Final = "ssd"
"""Key of the .tflite files named with --ssd, which no entry lists."""
