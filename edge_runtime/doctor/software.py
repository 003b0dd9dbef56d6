"""Python, the TFLite runtime, OpenCV, picamera2."""

from __future__ import annotations

from pathlib import Path

from edge_runtime.doctor.finding import Finding, State
from edge_runtime.doctor.library import Library
from edge_runtime.doctor.machine import Machine
from edge_runtime.doctor.plan import Plan

_TRIED_UP_TO = (3, 14)
_WHEELS_FOR = ("aarch64", "x86_64")
_APT_FOLDER = "usr/lib/python3/dist-packages"


def check_python(machine: Machine) -> Finding:
    """Version, word size, architecture."""
    python = machine.python
    text = f"{'.'.join(map(str, python.version))}, {python.bits}-bit, {python.architecture}"
    if python.version[:2] < (3, 11):
        return Finding("python", "act", text, "install Python 3.11 or newer")
    if python.bits < 64:
        # Raspberry Pi OS 32-bit runs a 64-bit kernel, so the architecture alone misleads.
        remedy = "install the 64-bit Raspberry Pi OS: no TFLite runtime exists for 32 bits"
        return Finding("python", "act", text, remedy)
    if python.architecture not in _WHEELS_FOR:
        remedy = f"the TFLite runtimes have wheels for {' and '.join(_WHEELS_FOR)} only"
        return Finding("python", "act", text, remedy)
    if python.version[:2] > _TRIED_UP_TO:
        return Finding("python", "watch", text, "newer than any version this release was tried on")
    return Finding("python", "fine", text)


def check_runtime(machine: Machine) -> Finding:
    """A TFLite runtime that loads, and suits the numpy beside it."""
    name = "tflite runtime"
    living = machine.library("ai_edge_litert", loads="ai_edge_litert.interpreter")
    if living is not None:
        return _loaded(name, "ai-edge-litert", living)
    old = machine.library("tflite_runtime", loads="tflite_runtime.interpreter")
    if old is None:
        return Finding(name, "act", "none is installed", "pip install ai-edge-litert")
    numpy = machine.library("numpy")
    if numpy is not None and (numpy.version or "").startswith("2"):
        text = f"tflite-runtime {old.version} crashes with numpy {numpy.version}"
        return Finding(name, "act", text, "pip install ai-edge-litert, or pip install 'numpy<2'")
    found = _loaded(name, "tflite-runtime", old)
    if found.state != "fine":
        return found
    remedy = "pip install ai-edge-litert: its successor is several times faster"
    return Finding(name, "watch", found.text, remedy)


def check_opencv(machine: Machine) -> Finding:
    """OpenCV loads."""
    cv2 = machine.library("cv2")
    if cv2 is None:
        return Finding("opencv", "act", "not installed", "pip install opencv-python-headless")
    return _loaded("opencv", "OpenCV", cv2)


def check_picamera2(machine: Machine, plan: Plan) -> Finding | None:
    """Whether this Python sees the system's picamera2; None where there is no Pi camera port."""
    if not machine.is_raspberry_pi:
        return None
    system = machine.files.root / _APT_FOLDER / "picamera2"
    seen = machine.library("picamera2")
    if seen is None:
        return _unseen(machine, plan, system.is_dir())
    if system.is_dir() and seen.folder is not None and seen.folder != system:
        return Finding(
            "picamera2",
            "watch" if seen.problem is None else "act",
            f"a copy in {seen.folder.parent} hides the system's",
            "pip uninstall picamera2: only apt's fits the system's libcamera",
        )
    return _loaded("picamera2", "picamera2", seen)


def _unseen(machine: Machine, plan: Plan, installed: bool) -> Finding:
    state: State = "act" if plan.wants_pi_camera else "watch"
    if not installed:
        text = "not installed"
        remedy = "sudo apt install --no-install-recommends python3-picamera2"
    elif machine.python.in_venv and not _sees_system(machine.python.prefix):
        text = f"installed, but hidden from the virtual environment {machine.python.prefix}"
        remedy = "make the environment anew: python3 -m venv --system-site-packages"
    else:
        text = "installed for the system's own Python, not for this one"
        remedy = "make the environment with /usr/bin/python3 and --system-site-packages"
    return Finding("picamera2", state, text, remedy)


def _sees_system(prefix: Path) -> bool:
    try:
        settings = (prefix / "pyvenv.cfg").read_text(encoding="utf-8")
    except OSError:  # no virtual environment of venv's making: nothing is hidden
        return True
    lines = (line.partition("=") for line in settings.splitlines())
    values = {key.strip(): value.strip().lower() for key, _, value in lines}
    return values.get("include-system-site-packages", "false") == "true"


def _loaded(name: str, called: str, library: Library) -> Finding:
    text = f"{called} {library.version or 'of unknown version'}"
    if library.problem is None:
        return Finding(name, "fine", text)
    remedy = f"reinstall it: pip install --force-reinstall {called.lower()}"
    if name == "picamera2":
        remedy = "sudo apt install --reinstall python3-picamera2 python3-libcamera"
    return Finding(name, "act", f"{text} does not load: {library.problem}", remedy)
