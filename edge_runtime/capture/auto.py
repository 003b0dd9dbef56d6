"""``auto``: a Pi camera if one answers, else the first USB camera which delivers, else the demo."""

from __future__ import annotations

import logging
from pathlib import Path

from edge_runtime.capture.devices import CameraDevice, list_cameras
from edge_runtime.capture.source import STALL_TIMEOUT_S, Source, Wait, open_parsed
from edge_runtime.capture.uri import parse
from edge_runtime.errors import LibraryMissing, SourceError, SourceUnavailable
from edge_runtime.types import Clock

_log = logging.getLogger(__name__)

_PI_CAMERA = "picamera://0"
_DEMO = "demo://?faces=2"


def open_auto(
    *,
    clock: Clock,
    wait: Wait,
    root: Path = Path("/"),
    stall_timeout_s: float = STALL_TIMEOUT_S,
) -> Source:
    """The best source this machine has; logs which and why. Raises SourceUnavailable."""
    cameras = list_cameras(root)
    usable = [f"v4l2://{camera.path}" for camera in cameras if camera.is_capture is not False]
    refused: list[str] = []
    for uri in (_PI_CAMERA, *usable, _DEMO):
        if uri == _DEMO and not usable:
            refused.append(_no_camera(cameras))
        try:
            source = open_parsed(
                parse(uri), clock=clock, wait=wait, root=root, stall_timeout_s=stall_timeout_s
            )
            _probe(source)
        except (SourceError, LibraryMissing) as error:
            refused.append(str(error))
        else:
            why = "; ".join(refused) or "it answers"
            _log.info("auto: %s (%s), because: %s", source.description, source.uri, why)
            return source
    raise SourceUnavailable(f"auto found nothing to show: {'; '.join(refused)}")


def _no_camera(cameras: tuple[CameraDevice, ...]) -> str:
    if not cameras:
        return "no USB camera is connected (no /dev/video*)"
    return f"no USB camera among {', '.join(map(str, cameras))}"


def _probe(source: Source) -> None:
    """See that a frame comes; a source that gives none is closed again."""
    try:
        source.probe()
    except BaseException:
        source.close()
        raise
