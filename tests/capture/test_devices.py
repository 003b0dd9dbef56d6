"""What cameras a machine has: told apart from metadata, codecs and pipeline nodes."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from edge_runtime.capture.devices import CameraDevice, Holder, list_cameras
from tests.capture.fake_kernel import (
    CODEC,
    METADATA_STREAMING,
    FakeDevice,
    FakeKernel,
)

PI_5 = {
    "video0": FakeDevice(card=b"rp1-cfe", driver=b"rp1-cfe", formats=(b"pBAA", b"YUYV")),
    "video8": FakeDevice(),
    "video9": FakeDevice(device_caps=METADATA_STREAMING, formats=(b"UVCH",)),
    "video10": FakeDevice(card=b"bcm2835-codec-decode", driver=b"bcm2835-codec", device_caps=CODEC),
    "video14": FakeDevice(card=b"bcm2835-isp", driver=b"bcm2835-isp", formats=(b"YUYV",)),
    "video20": FakeDevice(card=b"pispbe-output0", driver=b"pispbe", formats=(b"YUYV",)),
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "dev").mkdir()
    for node in (*PI_5, "video-dec0"):
        (tmp_path / "dev" / node).touch()
    return tmp_path


def listed(root: Path, devices: dict[str, FakeDevice] | None = None) -> dict[str, CameraDevice]:
    cameras = list_cameras(root, kernel=FakeKernel(devices or PI_5))
    return {camera.path: camera for camera in cameras}


def test_nodes_come_in_the_order_of_their_numbers(root: Path) -> None:
    numbers = [int(path.removeprefix("/dev/video")) for path in listed(root)]
    assert numbers == [0, 8, 9, 10, 14, 20]


def test_only_real_cameras_are_cameras(root: Path) -> None:
    cameras = [path for path, camera in listed(root).items() if camera.is_capture]
    assert cameras == ["/dev/video8"]


def test_a_camera_says_its_name_driver_and_formats(root: Path) -> None:
    camera = listed(root)["/dev/video8"]
    assert (camera.name, camera.driver) == ("HD Webcam C525", "uvcvideo")
    assert camera.formats == ("MJPG", "YUYV")
    assert camera.readable


def test_a_node_that_may_not_be_opened_has_its_name_from_sys(root: Path) -> None:
    (root / "sys/class/video4linux/video8").mkdir(parents=True)
    (root / "sys/class/video4linux/video8/name").write_text("USB Camera\n")
    camera = listed(root, PI_5 | {"video8": FakeDevice(open_fails=errno.EACCES)})["/dev/video8"]
    assert (camera.name, camera.driver, camera.is_capture) == ("USB Camera", None, None)


def test_who_holds_a_camera_is_found_in_proc(root: Path) -> None:
    for pid, name, target in ((900, "zoom", "/dev/video8"), (77, "sh", "/dev/null")):
        (root / "proc" / str(pid) / "fd").mkdir(parents=True)
        (root / "proc" / str(pid) / "fd" / "3").symlink_to(target)
        (root / "proc" / str(pid) / "comm").write_text(f"{name}\n")
    (root / "proc" / "self").mkdir()
    (root / "proc" / "1").mkdir()
    camera = listed(root)["/dev/video8"]
    assert camera.held_by == (Holder(900, "zoom"),)
    assert str(camera) == "/dev/video8 (HD Webcam C525, camera, held by zoom (process 900))"


def test_asking_leaves_nothing_open(root: Path) -> None:
    kernel = FakeKernel(PI_5)
    list_cameras(root, kernel=kernel)
    assert kernel.open_files == {}


def test_a_machine_without_devices_has_no_cameras(tmp_path: Path) -> None:
    assert list_cameras(tmp_path) == ()
