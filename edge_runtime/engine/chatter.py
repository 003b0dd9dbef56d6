"""Keeps the interpreter's greeting off stderr, and nothing else."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

GREETINGS: Final = (b"INFO: Created TensorFlow Lite XNNPACK delegate for CPU.",)
"""Written by C++ code past every logging setting, among the lines of whoever uses us."""


@contextmanager
def without_greetings() -> Iterator[None]:
    """Catch what the block writes to file descriptor 2, drop greetings, pass all the rest on.

    Lines that other threads write meanwhile are passed on too, when the block ends.
    """
    stderr, caught = os.dup(2), os.memfd_create("caught-stderr")
    os.dup2(caught, 2)
    try:
        yield
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)
        with os.fdopen(caught, "rb") as lines:
            lines.seek(0)
            kept = [line for line in lines if line.rstrip() not in GREETINGS]
        os.write(2, b"".join(kept))
