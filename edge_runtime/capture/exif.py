"""How a camera was held: the Orientation tag of a JPEG (Exif 2.32, section 4.6.4, tag 0x0112)."""

from __future__ import annotations

import struct

import numpy as np

from edge_runtime.types import Bgr

_ORIENTATION = 0x0112

# Tag value to (quarter turns clockwise, then mirrored left to right).
_TURNS = {
    2: (0, True),
    3: (2, False),
    4: (2, True),
    5: (1, True),
    6: (1, False),
    7: (3, True),
    8: (3, False),
}


def orientation(data: bytes) -> int:
    """1 to 8; 1, upright, where the tag is missing or makes no sense."""
    try:
        value = _tag(_exif(data))
    except struct.error:  # the header ends early: then it says nothing about orientation
        return 1
    return value if value in _TURNS else 1


def upright(bgr: Bgr, value: int) -> Bgr:
    """``bgr`` turned as the tag's ``value`` says."""
    turns, mirrored = _TURNS.get(value, (0, False))
    turned = np.rot90(bgr, -turns)
    return np.ascontiguousarray(turned[:, ::-1] if mirrored else turned)


def _exif(data: bytes) -> bytes:
    """The TIFF structure inside the first APP1 segment; empty without one."""
    at = 2
    while data[at : at + 1] == b"\xff" and data[at + 1 : at + 2] not in (b"\xda", b""):
        (length,) = struct.unpack_from(">H", data, at + 2)
        if data[at + 1 : at + 2] == b"\xe1" and data[at + 4 : at + 10] == b"Exif\0\0":
            return data[at + 10 : at + 2 + length]
        at += 2 + length
    return b""


def _tag(tiff: bytes) -> int:
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    if order is None:
        return 1
    (start,) = struct.unpack_from(order + "I", tiff, 4)
    (entries,) = struct.unpack_from(order + "H", tiff, start)
    for entry in range(entries):
        at = start + 2 + 12 * entry
        tag, _, _, value = struct.unpack_from(order + "HHIH", tiff, at)
        if tag == _ORIENTATION:
            return int(value)
    return 1
