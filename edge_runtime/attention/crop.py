"""Cut and square the regions: each classifier gets the face at its own size and margin."""

from __future__ import annotations

import numpy as np

from edge_runtime import imaging
from edge_runtime.types import Box, Crop, CropSpec, Picture, Region


def crop_box(face: Box, spec: CropSpec) -> Box:
    """The part of the picture to cut for ``face``: same centre, margin added, squared if asked."""
    grow = 1 + spec.margin
    w, h = face.w * grow, face.h * grow
    if spec.square:
        w = h = max(w, h)
    x, y = face.centre
    return Box(x - w / 2, y - h / 2, w, h)


def cut(picture: Picture, region: Region, spec: CropSpec) -> Crop:
    """The pixels of ``region`` at the size of ``spec``; reads only that part of the picture."""
    box = crop_box(region.box, spec)
    pixels = picture.luma(box) if spec.channels == 1 else picture.bgr(box)
    out = np.empty((spec.height, spec.width, *pixels.shape[2:]), np.uint8)
    imaging.fit_region(pixels, box, (picture.width, picture.height), out)
    return Crop(region.track, box, out if spec.channels == 1 else imaging.rgb_of(out))
