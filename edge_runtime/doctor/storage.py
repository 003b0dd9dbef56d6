"""Disk space, a read-only root, and the folder for our own state."""

from __future__ import annotations

from pathlib import Path

from edge_runtime.doctor.finding import Finding
from edge_runtime.doctor.machine import Machine
from edge_runtime.doctor.plan import Plan

_LITTLE = 1 << 30
_TOO_LITTLE = 100 << 20


def check_disk(machine: Machine, plan: Plan) -> Finding:
    """Room where the state goes."""
    place = _nearest(plan.state_dir)
    try:
        disk = machine.disk(place)
    except OSError as error:
        return Finding("disk", "unknown", f"{place}: {error.strerror}")
    text = f"{disk.free / 2**30:.1f} of {disk.total / 2**30:.1f} GiB free at {place}"
    remedy = "sudo apt clean; journalctl --vacuum-size=50M; remove what is not needed"
    if disk.free < _TOO_LITTLE:
        return Finding("disk", "act", text, remedy)
    if disk.free < _LITTLE:
        return Finding("disk", "watch", text, remedy)
    return Finding("disk", "fine", text)


def check_root(machine: Machine) -> Finding:
    """Whether the root file system may be written."""
    # A later mount over the same place hides the earlier one.
    lines = [line.split() for line in (machine.files.text("proc/self/mounts") or "").splitlines()]
    mounts = [words for words in lines if len(words) > 3 and words[1] == "/"]
    if not mounts:
        return Finding("root", "unknown", "the kernel does not tell how it is mounted")
    kind, options = mounts[-1][2], mounts[-1][3].split(",")
    if "rw" in options:
        return Finding("root", "fine", f"{kind}, writable")
    if kind == "overlay":
        return Finding("root", "fine", "read-only under an overlay, which spares the card")
    remedy = "if nobody meant it so, the card is failing: see `dmesg`, then replace it"
    return Finding("root", "watch", f"{kind}, mounted read-only", remedy)


def check_state_dir(machine: Machine, plan: Plan) -> Finding:
    """Whether token and model choice can be kept."""
    folder, place = plan.state_dir, _nearest(plan.state_dir)
    if not place.is_dir():
        return Finding("state folder", "act", f"{place} is no folder", _elsewhere())
    if machine.writable(place):
        text = str(folder) if folder == place else f"{folder}, made at the first start"
        return Finding("state folder", "fine", text)
    text = f"{machine.user.name} may not write to {place}"
    return Finding("state folder", "act", text, _elsewhere())


def _elsewhere() -> str:
    return "name another with state_dir in the config, or EDGE_RUNTIME_STATE_DIR"


def _nearest(path: Path) -> Path:
    """The deepest part of ``path`` that exists."""
    return next((p for p in (path, *path.parents) if p.exists()), Path("/"))
