"""The end of the process: with its exit code, whatever a thread that had to be left is doing."""

from __future__ import annotations

import logging
import os
import sys
import threading
from typing import NoReturn


def leave(code: int) -> NoReturn:
    """End with ``code``; at once where a daemon thread still runs.

    Python ends such a thread when it next wants the interpreter. Where a C++ library called for it,
    as a camera's does, that unwinds through code which forbids it: the process aborts ("terminate
    called without an active exception") with 134 instead of its own code.
    """
    left = [thread for thread in threading.enumerate() if thread.daemon]
    if not left:
        sys.exit(code)
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
