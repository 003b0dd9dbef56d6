"""Cameras as far as a virtual machine has them: the kernel's vivid, libcamera's virtual one."""

from __future__ import annotations

from tests.proof import expect
from tests.vm.service import DEMO, Service

DRIVER = "/sys/bus/platform/drivers/vivid"


def reads_vivid(service: Service) -> str:
    """Frames come from a V4L2 camera (the kernel's vivid)"""
    # Without node_types it also makes radio, overlay and metadata nodes.
    service.machine.must("modprobe vivid n_devs=1 node_types=0x1; udevadm settle")
    service.configure(source="v4l2:///dev/video0?size=640x360&fps=5")
    service.restart(after="the camera came")
    service.frames_go_on("the start on vivid")
    status = service.status()
    frame, camera = status["frame"], status["camera"]
    expect(camera["state"] == "streaming", f"the camera is {camera['state']}")
    name = service.machine.must("cat /sys/class/video4linux/video0/name")
    return f"{name}: {frame['width']}x{frame['height']}, {service.show('StatusText')['StatusText']}"


def survives_unplugging(service: Service) -> str:
    """A camera that is pulled out is waited for, and used when it is back"""
    service.wait_until_well("the check before")
    pid, restarts = service.pid(), service.restarts()
    # A driver in use cannot be unloaded; taking its device away is what unplugging does.
    service.machine.must(f"echo vivid.0 >{DRIVER}/unbind; sleep 1; modprobe --remove vivid || true")
    service.machine.until(
        lambda: service.status()["camera"]["state"] == "lost", "the page says lost", within_s=60
    )
    said = service.status()["state"]["sentence"]
    ready = service.machine.get("/readyz", service.token).status
    expect(ready in (200, 503), f"/readyz answered {ready}")
    service.machine.must(
        f"modprobe vivid n_devs=1 node_types=0x1; [ -e {DRIVER}/vivid.0 ] || "
        f"echo vivid.0 >{DRIVER}/bind; udevadm settle"
    )
    service.machine.until(
        lambda: service.status()["camera"]["state"] == "streaming", "streams again", within_s=90
    )
    service.frames_go_on("the camera came back")
    expect((service.pid(), service.restarts()) == (pid, restarts), "the service was restarted")
    return f"meanwhile: {said}; the same process goes on"


def back_to_the_demo(service: Service) -> str:
    """Another source takes effect at a restart"""
    service.configure(source=DEMO)
    service.restart(after="another source")
    service.machine.must("modprobe --remove vivid")
    return service.show("StatusText")["StatusText"]


LIST = (
    "import libcamera; manager = libcamera.CameraManager.singleton(); "
    "print(libcamera.CameraManager.version, [camera.id for camera in manager.cameras])"
)


def libcamera_answers(service: Service) -> str:
    """Debian's libcamera answers beside our libraries, and lists cameras"""
    python = (
        "PYTHONPATH=$(echo /usr/lib/edge-runtime/py3.13) LIBCAMERA_LOG_LEVELS='*:ERROR' python3"
    )
    return service.machine.must(f'{python} -c "import numpy; {LIST}"')
