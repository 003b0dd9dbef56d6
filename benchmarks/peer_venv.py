"""The peers' own Python environment: their versions and ours exclude each other."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Final

from benchmarks.peer_detectors import Size

RESOLVED: Final = (
    "numpy<2",
    "protobuf>=4.25.3,<5",
    "absl-py",
    "attrs",
    "flatbuffers",
    "matplotlib",
    "onnx",
    "onnxruntime",
    "onnxsim",
)
BARE: Final = (
    "mediapipe==0.10.18",
    "opencv-python-headless>=4.10,<5",
    "ai-edge-litert",
    "backports.strenum",
    "simplejpeg",
)
"""Installed without what they ask for: mediapipe wants jax, a second OpenCV and a sound library,
none of which its face detector touches; OpenCV wants numpy 2 and works with 1.26."""

DONE: Final = "edge-runtime-peers"
INSTALL_S: Final = 900.0

_FIX: Final = """
import sys, onnx, onnxsim
source, made, width, height = sys.argv[1:]
model = onnx.load(source)
name = model.graph.input[0].name
fixed, sound = onnxsim.simplify(
    model, overwrite_input_shapes={name: [1, 3, int(height), int(width)]}
)
assert sound
onnx.save(fixed, made)
"""


def peers_python(folder: Path) -> Path:
    """The environment's interpreter, installed unless it is there.

    Raises RuntimeError with pip's last line.
    """
    python = folder / "bin" / "python"
    wanted = "\n".join((*RESOLVED, *BARE))
    stamp = folder / DONE
    if stamp.is_file() and stamp.read_text() == wanted:
        return python
    told([sys.executable, "-m", "venv", "--clear", str(folder)])
    install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    told([*install, *RESOLVED])
    told([*install, "--no-deps", *BARE])
    stamp.write_text(wanted)
    return python


def fixed_onnx(python: Path, source: Path, size: Size, folder: Path) -> Path:
    """An ONNX file for pictures of one size, folded: OpenCV 4 reads no other, 5 is faster with it.

    Raises RuntimeError.
    """
    made = folder / f"{source.stem}-{size[0]}x{size[1]}.onnx"
    if not made.is_file():
        told([str(python), "-c", _FIX, str(source), str(made), *map(str, size)])
    return made


def told(command: list[str]) -> None:
    """Run it. Raises RuntimeError with its last line when it fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=INSTALL_S)
    if done.returncode:
        words = (done.stderr or done.stdout).strip().splitlines()
        raise RuntimeError(words[-1] if words else f"{command[0]} ended with {done.returncode}")
