"""Refuse system calls that no model needs, by a filter in the kernel (seccomp).

Works without privileges, also inside a systemd service with RestrictNamespaces=, and cannot be
undone. The program is classic BPF over ``struct seccomp_data``: int nr, u32 arch, u64
instruction_pointer, u64 args[6] (linux/seccomp.h).
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
from typing import Final, NamedTuple

_SET_SECCOMP: Final = 22
_MODE_FILTER: Final = 2

# linux/bpf_common.h: load a word, jump if equal, return.
_LOAD: Final = 0x20
_EQUAL: Final = 0x15
_RETURN: Final = 0x06
_NUMBER_AT: Final = 0
_ARCHITECTURE_AT: Final = 4

# linux/seccomp.h:
_ALLOW: Final = 0x7FFF_0000
_ERROR: Final = 0x0005_0000
_KILL: Final = 0x8000_0000


class Machine(NamedTuple):
    """How the kernel numbers its calls on one kind of processor."""

    audit: int
    """AUDIT_ARCH_… of linux/audit.h."""
    refused: tuple[int, ...]
    """socket, fork, vfork, clone, clone3, execve, execveat, ptrace, kill, io_uring_setup."""


X86_64: Final = Machine(0xC000_003E, (41, 57, 58, 56, 435, 59, 322, 101, 62, 425))
AARCH64: Final = Machine(0xC000_00B7, (198, 220, 435, 221, 281, 117, 129, 425))
ARM: Final = Machine(0x4000_0028, (281, 2, 190, 120, 435, 11, 387, 26, 37, 425))


def machine_of(name: str, pointer_bytes: int) -> Machine | None:
    """The numbers for this program; a 64-bit kernel may run a 32-bit system."""
    if pointer_bytes == 4:
        return ARM if name == "aarch64" or name.startswith("arm") else None
    return {"x86_64": X86_64, "aarch64": AARCH64}.get(name)


def refuse(libc: ctypes.CDLL) -> None:
    """From now on those calls fail with EPERM. Needs PR_SET_NO_NEW_PRIVS before.

    Raises OSError where the kernel has no filters or the processor is another.
    """
    machine = machine_of(platform.machine(), struct.calcsize("P"))
    if machine is None:
        raise OSError(errno.ENOSYS, f"no numbers known for {platform.machine()}")
    code = program(machine)
    buffer = ctypes.create_string_buffer(code, len(code))
    # struct sock_fprog: u16 len, then a pointer at its natural place.
    filters = struct.pack("@HP", len(code) // 8, ctypes.addressof(buffer))
    if libc.prctl(_SET_SECCOMP, _MODE_FILTER, filters, 0, 0):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def program(machine: Machine) -> bytes:
    """The filter: another architecture's calls end the process, the refused ones fail."""
    count = len(machine.refused)
    steps = [
        (_LOAD, 0, 0, _ARCHITECTURE_AT),
        (_EQUAL, 1, 0, machine.audit),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER_AT),
        # Jumps count the steps they leave out: from each comparison to the last return.
        *((_EQUAL, count - place, 0, call) for place, call in enumerate(machine.refused)),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _ERROR | errno.EPERM),
    ]
    return b"".join(struct.pack("<HBBI", *step) for step in steps)
