"""The process title: what ``ps`` shows every user of the machine, without passwords."""

from __future__ import annotations

import logging
import os
import re
from pathlib import Path
from typing import Final

from edge_runtime.masking import masked_uri

log = logging.getLogger(__name__)

PROC: Final = Path("/proc/self")
_TOKEN: Final = re.compile(r"\bert_[\w-]+")
"""Of the page, as web/tokens.py makes them."""
_ARG_START: Final = 47
"""Counted from 0 in ``/proc/self/stat`` (proc(5)): where the arguments begin in memory."""


def hide_secrets(proc: Path = PROC) -> bool:
    """Overwrite passwords and tokens in this process's own arguments; whether there were any.

    Python has its copies of them already. ``proc``: the process's folder in ``/proc``.
    """
    arguments = (proc / "cmdline").read_bytes()
    masked = b"\0".join(map(_masked, arguments.split(b"\0")))
    if masked == arguments:
        return False
    address = _address(proc)
    if not address or len(masked) != len(arguments):
        log.warning("a secret of the command line can be seen with `ps`: put it into the config")
        return True
    with (proc / "mem").open("r+b", buffering=0) as memory:
        memory.seek(address)
        memory.write(masked)
    return True


def _masked(argument: bytes) -> bytes:
    """As long as before, for what follows must stay where it is."""
    text = os.fsdecode(argument)
    masked = _TOKEN.sub("***", masked_uri(text))
    if masked == text:
        return argument
    return os.fsencode(masked)[: len(argument)].ljust(len(argument))


def _address(proc: Path) -> int:
    # The second field is the program's name in brackets, and may hold spaces itself.
    fields = (proc / "stat").read_text().rpartition(")")[2].split()
    return int(fields[_ARG_START - 2])
