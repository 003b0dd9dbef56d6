"""A thread that cannot be stopped does not take the exit code with it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

STUCK = """
import sys, threading
import cv2, numpy
from edge_runtime.cli.leaving import leave
from edge_runtime.service.worker import Worker

picture, busy = numpy.zeros((300, 300, 3), numpy.uint8), threading.Event()

def work(worker):
    while True:
        cv2.GaussianBlur(picture, (31, 31), 0)
        busy.set()

worker = Worker("capture", work).start()
busy.wait()
assert not worker.stop(0.01)
sys.stdout.write("done")
leave(3)
"""

IDLE = """
import atexit
from edge_runtime.cli.leaving import leave
atexit.register(print, "tidied up")
leave(4)
"""


def end_of(script: str, repository: Path) -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=repository,
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    return done.returncode, done.stdout, done.stderr


def test_a_thread_left_inside_a_library_does_not_abort_the_process(repository: Path) -> None:
    code, said, errors = end_of(STUCK, repository)
    assert (code, said) == (3, "done")
    assert "terminate called" not in errors


def test_without_such_a_thread_python_tidies_up(repository: Path) -> None:
    assert end_of(IDLE, repository)[:2] == (4, "tidied up\n")
