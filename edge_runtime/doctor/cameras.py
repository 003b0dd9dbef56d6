"""Which cameras there are, who holds them, and whether this user may have them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from edge_runtime.doctor.finding import Finding, State
from edge_runtime.doctor.machine import CameraNode, Machine
from edge_runtime.doctor.plan import Plan

# Raspberry Pi OS Bookworm and later, then Bullseye.
_LISTERS = ("rpicam-hello", "libcamera-hello")

# ` 0 : imx708 [4608x2592 10-bit RGGB] (/base/soc/i2c0mux/i2c@1/imx708@1a)`
_PI_CAMERA = re.compile(r"(?m)^\s*(\d+) : (\S+) \[(\d+x\d+)[^\]]*\]")


def check_cameras(machine: Machine, plan: Plan) -> Iterator[Finding]:
    """One finding per camera, or one that there is none."""
    nodes = [node for node in machine.cameras() if node.is_capture is not False]
    yield from _forbidden([node.path for node in nodes if not node.readable])
    yield from (_node(node, plan) for node in nodes if node.readable)
    pi_cameras = _pi_cameras(machine) if machine.is_raspberry_pi else []
    if pi_cameras:
        yield Finding("Pi camera", "fine", ", ".join(pi_cameras))
    elif pi_cameras is None:
        yield Finding("Pi camera", "unknown", "rpicam-hello is not installed or does not answer")
    elif plan.wants_pi_camera or (machine.is_raspberry_pi and not nodes):
        yield _no_pi_camera(plan)
    elif not nodes:
        yield _no_camera(plan)


def check_groups(machine: Machine) -> Finding:
    """Cameras, the firmware and DMA buffers belong to ``video`` on Debian and Raspberry Pi OS."""
    user = machine.user
    if user.is_root:
        return Finding("groups", "fine", "root needs none")
    if "video" not in user.known_groups:
        return Finding("groups", "unknown", "this system has no group `video`")
    if "video" not in user.groups:
        remedy = f"sudo usermod -aG video {user.name}, then log in anew"
        return Finding("groups", "act", f"{user.name} is not in the group video", remedy)
    # The others are for add-ons: render for graphics, i2c and gpio for hats.
    optional = ("render", "i2c", "gpio")
    lacking = [g for g in optional if g in user.known_groups - user.groups]
    text = f"{user.name} is in video" + (f", not in {', '.join(lacking)}" if lacking else "")
    return Finding("groups", "fine", text)


def _forbidden(paths: list[str]) -> Iterator[Finding]:
    """One finding for all: a Pi has a dozen nodes, and none can be asked whether it is a camera."""
    if paths:
        text = f"this user may not open {', '.join(paths)}"
        remedy = "sudo usermod -aG video $USER, then log in anew"
        yield Finding("cameras", "act", text, remedy)


def _node(node: CameraNode, plan: Plan) -> Finding:
    if node.held_by:
        holders = ", ".join(str(holder) for holder in node.held_by)
        remedy = f"stop {holders}, unless that is edge-runtime itself"
        wanted = any(node.path in uri for uri in plan.source_uris)
        state: State = "act" if wanted else "watch"
        return Finding(node.path, state, f"{node.name}: held by {holders}", remedy)
    if node.is_capture is None:
        return Finding(node.path, "unknown", f"{node.name}: it cannot be asked what it is")
    return Finding(node.path, "fine", node.name)


def _pi_cameras(machine: Machine) -> list[str] | None:
    """Sensors that libcamera lists; None when nothing can ask it."""
    for lister in _LISTERS:
        text = machine.run((lister, "--list-cameras"))
        if text is not None:
            return [f"{name} ({size})" for _, name, size in _PI_CAMERA.findall(text)]
    return None


def _no_pi_camera(plan: Plan) -> Finding:
    remedy = "switch off, seat the ribbon cable (contacts towards the board), switch on"
    state: State = "act" if plan.wants_pi_camera else "watch"
    return Finding("Pi camera", state, "none found", remedy)


def _no_camera(plan: Plan) -> Finding:
    remedy = "plug in a USB camera, or use --source demo://"
    state: State = "act" if plan.wants_a_camera else "watch"
    return Finding("camera", state, "none found", remedy)
