"""Pictures with white squares for faces, and the lines that say where they are."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from edge_runtime.types import Box

WIDTH, HEIGHT = 320, 240
FACE = Box(64, 64, 64, 64)


def draw(file: Path, white: Box | None) -> Path:
    """A grey picture with at most one white square."""
    pixels = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
    if white is not None:
        x, y, w, h = map(int, white)
        pixels[y : y + h, x : x + w] = 255
    file.parent.mkdir(exist_ok=True)
    assert cv2.imwrite(str(file), pixels)
    return file


def label(name: str, *faces: Sequence[float], **more: Any) -> dict[str, Any]:
    """A line as an object; ``more`` adds keys or takes the place of some."""
    whole = {"file": name, "width": WIDTH, "height": HEIGHT, "faces": [list(f) for f in faces]}
    return whole | {"ignore": []} | more


def write(file: Path, *labels: dict[str, Any]) -> Path:
    file.write_text("".join(json.dumps(each) + "\n" for each in labels))
    return file
