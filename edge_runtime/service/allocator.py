"""Keeps the C allocator from holding more memory than the program uses."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any, Final

M_ARENA_MAX: Final = -8
"""Of glibc's malloc.h: how many heaps threads may spread over."""


def share_one_heap(load: Callable[[], Any] = lambda: ctypes.CDLL(None)) -> bool:
    """Let all threads use one heap; call it before the first thread starts.

    glibc gives threads heaps of their own so that they need not wait for each other, and what one
    frees no other can use: 2 MB here. Ours allocate large and seldom beside Python's own allocator,
    which takes turns anyway. False where the C library knows no such setting (musl).
    """
    try:
        mallopt = load().mallopt
    except (OSError, AttributeError):
        return False
    return bool(mallopt(M_ARENA_MAX, 1))
