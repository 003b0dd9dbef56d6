"""The filter of system calls, run step by step as the kernel would."""

from __future__ import annotations

import errno
import struct

import pytest

from edge_runtime.store.trial.calls import AARCH64, ARM, X86_64, Machine, machine_of, program

ALLOW, REFUSE, KILL = 0x7FFF0000, 0x00050000 | errno.EPERM, 0x80000000


def result(code: bytes, number: int, architecture: int) -> int:
    """What the program returns for a call: only the three kinds of steps it has are known here."""
    data = struct.pack("<II", number, architecture)
    steps = list(struct.iter_unpack("<HBBI", code))
    at, loaded = 0, 0
    while True:
        kind, if_equal, if_not, value = steps[at]
        at += 1
        if kind == 0x20:
            (loaded,) = struct.unpack_from("<I", data, value)
        elif kind == 0x15:
            at += if_equal if loaded == value else if_not
        elif kind == 0x06:
            return int(value)
        else:
            raise AssertionError(f"step {kind:#x} is unknown")


@pytest.mark.parametrize("machine", [X86_64, AARCH64, ARM])
def test_only_what_is_named_is_refused(machine: Machine) -> None:
    code = program(machine)
    refused = {n for n in range(600) if result(code, n, machine.audit) == REFUSE}
    allowed = {n for n in range(600) if result(code, n, machine.audit) == ALLOW}
    assert refused == set(machine.refused)
    assert refused | allowed == set(range(600))


def test_calls_numbered_for_another_processor_end_the_process() -> None:
    assert result(program(X86_64), 0, ARM.audit) == KILL


def test_a_32_bit_system_on_a_64_bit_kernel_has_its_own_numbers() -> None:
    assert machine_of("aarch64", 8) is AARCH64
    assert machine_of("aarch64", 4) is ARM
    assert machine_of("armv7l", 4) is ARM
    assert machine_of("riscv64", 8) is None
