from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable

import pytest

from edge_runtime.telemetry.kernel_files import KernelFiles
from edge_runtime.telemetry.process import ProcessReader, process_age_s
from tests.telemetry.conftest import StandingClock
from tests.telemetry.recorded import RecordedMachine

Machine = Callable[[str], RecordedMachine]


def reader_of(board: RecordedMachine, clock: StandingClock) -> ProcessReader:
    files = KernelFiles(board.root)
    return ProcessReader(files, clock=clock, ticks_per_s=100, page_bytes=4096)


def test_cpu_counts_own_threads_and_living_children(machine: Machine, clock: StandingClock) -> None:
    board = machine("pi4b")
    reader = reader_of(board, clock)
    board.play("later")
    clock.pass_by(1)
    # 70 ticks of its own (60 user, 10 system) and 20 of the child, of 100 a second.
    assert reader.cpu_percent() == pytest.approx(90)


def test_a_child_that_is_waited_for_is_counted_once(machine: Machine, clock: StandingClock) -> None:
    board = machine("pi4b")
    reader = reader_of(board, clock)
    board.play("later")
    clock.pass_by(1)
    reader.cpu_percent()
    # The child ends: its 25 ticks move into the parent's children's time.
    ended = (board.root / "proc/self/stat").read_text().replace(" 12 5 20 ", " 34 8 20 ")
    board.write("proc/self/stat", ended)
    board.write("proc/self/task/1311/children", "")
    clock.pass_by(1)
    assert reader.cpu_percent() == pytest.approx(0)


def test_memory_in_mebibytes(machine: Machine, clock: StandingClock) -> None:
    reader = reader_of(machine("pi4b"), clock)
    assert reader.memory_mb() == pytest.approx(26211 * 4096 / 2**20)
    assert reader.peak_memory_mb() == pytest.approx(109444 / 1024)


def test_pages_of_a_pi_5_are_larger(machine: Machine, clock: StandingClock) -> None:
    files = KernelFiles(machine("pi5").root)
    reader = ProcessReader(files, clock=clock, ticks_per_s=100, page_bytes=16384)
    assert reader.memory_mb() == pytest.approx(6600 * 16384 / 2**20)


def test_nothing_is_known_without_proc(machine: Machine, clock: StandingClock) -> None:
    board = machine("pi5")
    for name in ("stat", "statm", "status"):
        board.remove(f"proc/self/{name}")
    reader = reader_of(board, clock)
    clock.pass_by(1)
    assert (reader.cpu_percent(), reader.memory_mb(), reader.peak_memory_mb()) == (None,) * 3
    assert reader.uptime_s() == 1


def test_the_age_is_counted_from_the_start_of_the_process(
    machine: Machine, clock: StandingClock
) -> None:
    board = machine("pi4b")
    # Started 82.14 s after boot, as the stat line says.
    board.write("proc/uptime", "100.64 390.10\n")
    assert process_age_s(KernelFiles(board.root), 100) == pytest.approx(18.5)
    reader = reader_of(board, clock)
    clock.pass_by(2)
    assert reader.uptime_s() == pytest.approx(20.5)


def test_a_new_process_is_young() -> None:
    code = "from edge_runtime.telemetry.process import process_age_s as age; print(age())"
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=20
    ).stdout.strip()
    if answer == "None":
        pytest.skip("no /proc here")
    assert 0.0 <= float(answer) < 20


def test_this_very_process_uses_its_processor_and_memory() -> None:
    reader = ProcessReader(KernelFiles())
    until = time.process_time() + 0.03
    while time.process_time() < until:
        pass
    percent = reader.cpu_percent()
    memory, peak = reader.memory_mb(), reader.peak_memory_mb()
    if percent is None or memory is None or peak is None:
        pytest.skip("no /proc here")
    assert percent > 0
    assert 5 < memory <= peak + 1
    assert os.getpid() > 0
