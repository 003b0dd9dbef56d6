"""``auto``: the best camera there is, and the reason why."""

from __future__ import annotations

import itertools
import logging
from importlib.util import find_spec
from pathlib import Path

import pytest

from edge_runtime.capture import Source, auto, devices, open_source, photographs, v4l2
from edge_runtime.errors import SourceUnavailable
from tests.capture import fake_picamera2
from tests.capture.fake_clock import FakeClock
from tests.capture.fake_kernel import METADATA_STREAMING, Arrival, FakeDevice, FakeKernel
from tests.capture.recordings import webcam_jpeg


class Machine:
    def __init__(self, root: Path, clock: FakeClock) -> None:
        self.root, self.clock = root, clock
        self.devices: dict[str, FakeDevice] = {}
        (root / "dev").mkdir()

    def plug(self, node: str, device: FakeDevice) -> FakeDevice:
        (self.root / "dev" / node).touch()
        self.devices[node] = device
        return device

    def open(self) -> Source:
        return open_source("auto", clock=self.clock, wait=self.clock.wait, root=self.root)


@pytest.fixture
def machine(tmp_path: Path, clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> Machine:
    machine = Machine(tmp_path, clock)
    kernel = FakeKernel(machine.devices, now=clock, advance=clock.advance)
    for module in (devices, v4l2):
        monkeypatch.setattr(module, "LinuxKernel", lambda: kernel)
    return machine


def webcam() -> FakeDevice:
    return FakeDevice(arrivals=itertools.repeat(Arrival(webcam_jpeg())))


def test_a_pi_camera_comes_first(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    hardware = fake_picamera2.install(monkeypatch)
    hardware.now = machine.clock
    machine.plug("video0", webcam())
    with machine.open() as source:
        assert source.uri == "picamera://0"
        assert next(source).index == 0


def test_then_the_first_usb_camera_that_delivers(
    machine: Machine, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    machine.plug("video0", webcam()).silent = True
    machine.plug("video1", FakeDevice(device_caps=METADATA_STREAMING))
    machine.plug("video2", webcam())
    with machine.open() as source:
        assert source.uri == "v4l2:///dev/video2"
        assert next(source).index == 0
    (line,) = [record.message for record in caplog.records if record.name == auto.__name__]
    assert "python3-picamera2" in line
    assert "v4l2:///dev/video0 delivered no picture for 5 s" in line
    assert machine.devices["video0"].streaming is False


def test_then_the_demo_which_says_why(machine: Machine, caplog: pytest.LogCaptureFixture) -> None:
    if find_spec("skimage") is None:
        pytest.skip("the demo's photographs are not installed")
    caplog.set_level(logging.INFO)
    machine.plug("video1", FakeDevice(device_caps=METADATA_STREAMING))
    with machine.open() as source:
        assert source.uri.startswith("demo://")
    assert "no USB camera among /dev/video1 (HD Webcam C525, no camera)" in caplog.text


def test_with_nothing_at_all_every_reason_is_given(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(photographs, "find_spec", lambda name: None)
    with pytest.raises(SourceUnavailable) as caught:
        machine.open()
    for reason in ("picamera2 is not installed", "no /dev/video*", "edge-runtime[demo]"):
        assert reason in str(caught.value)
