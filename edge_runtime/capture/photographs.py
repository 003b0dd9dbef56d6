"""The demo's photographs: scikit-image ships them, and only its files are used, never its code."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np

from edge_runtime.errors import LibraryMissing
from edge_runtime.types import Bgr


def photograph(file: str) -> Bgr:
    """A bundled photograph by its file name. Raises LibraryMissing.

    The package is located without importing it: its imports would cost half a second and scipy.
    """
    path = _folder() / file
    pixels = cv2.imread(str(path), cv2.IMREAD_COLOR) if path.exists() else None
    if pixels is None:
        raise LibraryMissing(
            f"this scikit-image lacks its picture {file}: pip install -U 'edge-runtime[demo]'"
        )
    return np.asarray(pixels, np.uint8)


def _folder() -> Path:
    found = find_spec("skimage")
    if found is None or found.origin is None:
        raise LibraryMissing(
            "the demo needs scikit-image's photographs: pip install 'edge-runtime[demo]'"
        )
    return Path(found.origin).parent / "data"
