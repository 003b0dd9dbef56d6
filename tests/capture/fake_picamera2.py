"""picamera2 and libcamera as this program meets them, for machines without a Pi camera.

Same names, same behaviour, taken from picamera2 0.3.3x: configurations are aligned and adjusted,
strides are padded, requests are counted and recycled, jobs are futures that time out, errors are
RuntimeError. Planes are full-range BT.601 only when the Sycc colour space was asked for.
"""

from __future__ import annotations

import sys
import types
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

STRIDE = 64
"""The ISP pads YUV420 rows to a multiple of this."""


class Transform:
    def __init__(self, hflip: int = 0, vflip: int = 0) -> None:
        self.hflip, self.vflip = bool(hflip), bool(vflip)


class ColorSpace:
    def __init__(self, name: str, full_range: bool) -> None:
        self.name, self.full_range = name, full_range

    @staticmethod
    def Sycc() -> ColorSpace:
        return ColorSpace("Sycc", True)

    @staticmethod
    def Rec709() -> ColorSpace:
        return ColorSpace("Rec709", False)


class FakeHardware:
    """What is plugged in, and what goes wrong. Shared by every Picamera2 of a test."""

    def __init__(self) -> None:
        self.models = ["imx708", "ov5647"]
        self.bus = "i2c@1"
        self.held_elsewhere = False
        self.silent = False
        """Frames no longer come ("Camera frontend has timed out")."""
        self.driver_hangs = False
        """Even stopping is never answered."""
        self.memory_short = False
        self.advance: Callable[[float], None] = lambda seconds: None
        """Lets the injected clock see the waiting."""
        self.now: Callable[[], float] = lambda: 0.0
        self.opened: list[Picamera2] = []
        self.frames = 0


hardware = FakeHardware()


class Job:
    def __init__(self, function: Callable[[], tuple[bool, Any]], answered: bool) -> None:
        self.function, self.answered, self.cancelled = function, answered, False

    def get_result(self, timeout: float | None = None) -> Any:
        done, result = self.function() if self.answered else (False, None)
        if done:
            return result
        if timeout is None:
            raise AssertionError("waited without a timeout for something that never comes")
        hardware.advance(timeout)
        raise TimeoutError


class Picamera2:
    def __init__(self, camera_num: int = 0) -> None:
        self.is_open = self.started = False
        self.camera_config: dict[str, Any] | None = None
        self.stop_count = 0
        self.jobs: list[Job] = []
        self.requests_out = 0
        if hardware.held_elsewhere or camera_num >= len(hardware.models):
            raise RuntimeError("Camera __init__ sequence did not complete.")
        self.is_open = True
        hardware.opened.append(self)

    @staticmethod
    def global_camera_info() -> list[dict[str, Any]]:
        return [
            {
                "Model": model,
                "Location": 2,
                "Rotation": 180,
                "Id": f"/base/{hardware.bus}/{model}",
                "Num": at,
            }
            for at, model in enumerate(hardware.models)
        ]

    def create_video_configuration(
        self,
        main: dict[str, Any],
        lores: dict[str, Any] | None = None,
        raw: dict[str, Any] | None = {},  # noqa: B006 - as picamera2 has it
        transform: Transform | None = None,
        colour_space: ColorSpace | None = None,
        buffer_count: int = 6,
        controls: dict[str, Any] | None = None,
        display: str | None = "main",
        encode: str | None = "main",
        queue: bool = True,
    ) -> dict[str, Any]:
        for stream in filter(None, (main, lores)):
            width, height = stream["size"]
            stream["size"] = (width - width % 2, height - height % 2)
        return {
            "use_case": "video",
            "transform": transform or Transform(),
            "colour_space": colour_space or ColorSpace.Rec709(),
            "buffer_count": buffer_count,
            "queue": queue,
            "main": {"preserve_ar": True} | main,
            "lores": lores,
            "raw": raw,
            "controls": {"NoiseReductionMode": 1, "FrameDurationLimits": (33333, 33333)}
            | (controls or {}),
            "display": display,
            "encode": encode,
        }

    def configure(self, config: dict[str, Any]) -> None:
        if self.started:
            raise RuntimeError("Camera must be stopped before configuring")
        main, lores = config["main"], config["lores"]
        if lores["size"][0] > main["size"][0] or lores["size"][1] > main["size"][1]:
            raise RuntimeError("lores stream dimensions may not exceed main stream")
        if hardware.memory_short:
            raise RuntimeError("Failed to allocate buffers.")
        for stream in (main, lores):
            width, height = stream["size"]
            stream["stride"] = -(-width // STRIDE) * STRIDE
            stream["framesize"] = stream["stride"] * height * 3 // 2
        self.camera_config = config
        self.buffers_free = config["buffer_count"]

    def camera_configuration(self) -> dict[str, Any]:
        assert self.camera_config is not None
        return self.camera_config

    def start(self) -> None:
        if self.camera_config is None:
            raise RuntimeError("Camera has not been configured")
        self.started = True

    def capture_request(self, wait: Any = None) -> Any:
        return self.dispatch_functions([self._capture_request], wait)

    def dispatch_functions(self, functions: list[Any], wait: Any, immediate: bool = False) -> Any:
        job = Job(functions[0], answered=not hardware.driver_hangs)
        self.jobs.append(job)
        return job.get_result(None if wait is True else wait) if wait else job

    def wait(self, job: Job, timeout: float | None = None) -> Any:
        return job.get_result(timeout=timeout)

    def cancel_all_and_flush(self) -> None:
        for job in self.jobs:
            job.cancelled = True
        self.jobs = []

    def stop_(self) -> tuple[bool, None]:
        self.started = False
        self.stop_count += 1
        return True, None

    def close(self) -> None:
        if hardware.driver_hangs:
            raise AssertionError("close waits for a driver that never answers")
        self.started = self.is_open = False
        self.camera_config = None

    def _capture_request(self) -> tuple[bool, Any]:
        if hardware.silent or not self.buffers_free:
            return False, None
        self.buffers_free -= 1
        self.requests_out += 1
        hardware.frames += 1
        return True, CompletedRequest(self, hardware.frames)


class CompletedRequest:
    def __init__(self, picam2: Picamera2, number: int) -> None:
        self.picam2, self.ref_count, self.stop_count = picam2, 1, picam2.stop_count
        self.config: dict[str, Any] | None = dict(picam2.camera_configuration())
        self.taken_at = hardware.now()
        self.buffers = {name: drawn(self.config, name, number) for name in ("main", "lores")}

    def get_metadata(self) -> dict[str, Any]:
        return {"SensorTimestamp": round((self.taken_at - 0.02) * 1e9), "ExposureTime": 10000}

    def release(self) -> None:
        self.ref_count -= 1
        if self.ref_count < 0:
            raise RuntimeError("CompletedRequest: lock now has negative ref_count")
        self.picam2.requests_out -= 1
        if self.picam2.started and self.stop_count == self.picam2.stop_count:
            self.picam2.buffers_free += 1
        for memory in self.buffers.values():
            # What is read after this is the next picture, or nothing at all.
            memory.fill(0)
        self.config = None


class MappedArray:
    def __init__(
        self, request: CompletedRequest, stream: str, reshape: bool = True, write: bool = True
    ) -> None:
        self._request, self._stream = request, stream
        self.array: npt.NDArray[np.uint8] | None = None

    def __enter__(self) -> MappedArray:
        assert self._request.config is not None, "mapped after release"
        config = self._request.config[self._stream]
        rows = config["size"][1] * 3 // 2
        self.array = self._request.buffers[self._stream].reshape(rows, config["stride"])
        return self

    def __exit__(self, *_: object) -> None:
        self.array = None


def drawn(config: dict[str, Any], stream: str, number: int) -> npt.NDArray[np.uint8]:
    """A plain ramp with one colour, as the ISP would lay it out: padded rows, three planes."""
    width, height = config[stream]["size"]
    stride = config[stream]["stride"]
    memory = np.full(stride * height * 3 // 2, 0xEE, np.uint8)
    luma = memory[: stride * height].reshape(height, stride)
    ramp = np.linspace(0, 255, width)[None, :] * np.ones((height, 1)) * 0.9 + number % 25
    if config["transform"].hflip:
        ramp = ramp[:, ::-1]
    full = config["colour_space"].full_range
    luma[:, :width] = ramp if full else 16 + ramp * 219 / 255
    chroma = memory[stride * height :].reshape(2, height // 2, stride // 2)
    chroma[0, :, : width // 2], chroma[1, :, : width // 2] = 110, 160
    return memory


def install(monkeypatch: pytest.MonkeyPatch) -> FakeHardware:
    """Make ``import picamera2`` and ``import libcamera`` find these; returns fresh hardware."""
    hardware.__init__()  # type: ignore[misc]
    picamera2 = types.ModuleType("picamera2")
    picamera2.__dict__.update(Picamera2=Picamera2, MappedArray=MappedArray)
    libcamera = types.ModuleType("libcamera")
    libcamera.__dict__.update(Transform=Transform, ColorSpace=ColorSpace)
    monkeypatch.setitem(sys.modules, "picamera2", picamera2)
    monkeypatch.setitem(sys.modules, "libcamera", libcamera)
    return hardware
