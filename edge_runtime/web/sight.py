"""One camera at one moment: what reports, findings and metrics are made of."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from edge_runtime.types import Camera, ModelInUse, Snapshot
from edge_runtime.web.status import CameraSource


class Sight(NamedTuple):
    """What is known of a camera now."""

    name: str
    camera: Camera
    snapshot: Snapshot | None
    """None before the first frame."""
    skipped: int = 0
    """Frames left with the camera because no more were allowed."""


def models_of(sights: Iterable[Sight]) -> tuple[ModelInUse, ...]:
    """The models that all cameras share; empty before the first frame of any."""
    return next((each.snapshot.models for each in sights if each.snapshot is not None), ())


def sights_of(cameras: Iterable[CameraSource]) -> tuple[Sight, ...]:
    """Read once, so that all that is said of a moment agrees."""
    return tuple(
        Sight(each.name, each.camera(), each.snapshot(), each.skipped()) for each in cameras
    )
