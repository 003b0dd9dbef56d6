"""Whatever a model does to the process it is tried in, the trial ends with a sentence."""

from __future__ import annotations

import hashlib
import os
import re
import select
import sys
from dataclasses import replace
from pathlib import Path
from textwrap import dedent, indent
from typing import Any

import numpy as np
import pytest

from edge_runtime.engine.litert import available_backends
from edge_runtime.errors import LibraryMissing, TrialImpossible
from edge_runtime.store.manifest import Manifest, read_manifest
from edge_runtime.store.trial.process import run_watched
from edge_runtime.store.trial.trial import run
from edge_runtime.store.trial.verdict import Limits, Verdict
from tests.store import shelf

runs_models = pytest.mark.skipif(not available_backends(), reason="no interpreter installed")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return shelf.put(tmp_path / "mood", shelf.classifier())


def manifest_of(folder: Path) -> Manifest:
    return read_manifest(folder / "manifest.json")


def tried(folder: Path, **options: Any) -> Verdict:
    return run(folder / "model.tflite", manifest_of(folder), **options)


def python_that(folder: Path, does: str, *, prepares: str = "pass") -> str:
    """An interpreter of Python in which each ``invoke`` of a model first does something."""
    script = folder / "python"
    script.write_text(
        f"#!{sys.executable}\n"
        + dedent(
            """
            import os, sys
            {prepares}
            from edge_runtime.engine.litert import LitertEngine
            from edge_runtime.store.trial import child

            invoke = LitertEngine.invoke

            def harmful(self):
            {does}
                invoke(self)

            LitertEngine.invoke = harmful
            child.main(sys.argv[-2:], sys.stdin.buffer)
            """
        ).format(prepares=prepares, does=indent(dedent(does), "    "))
    )
    script.chmod(0o700)
    return str(script)


@runs_models
def test_a_sound_model_is_found_sound(folder: Path) -> None:
    verdict = tried(folder)
    assert verdict.ok, verdict.reason
    assert verdict.sha256 == shelf.sha256("int8_softmax")
    assert verdict.figures is not None
    assert 0 < verdict.figures.median_ms <= verdict.figures.p95_ms
    assert 0 <= verdict.figures.memory_mb < 100
    assert verdict.as_json()["figures"]["runs"] == verdict.figures.runs


@runs_models
@pytest.mark.parametrize(
    ("does", "said"),
    [
        ("import ctypes; ctypes.string_at(0)", r"memory that is not its own \(SIGSEGV\)"),
        ("os.abort()", r"gave up \(SIGABRT\)"),
        ("import signal; signal.raise_signal(signal.SIGFPE)", r"divided by zero \(SIGFPE\)"),
        ("os._exit(0)", "status 0 and no result"),
        ("os._exit(3)", "status 3 and no result"),
        ("raise KeyError('odd')", "status 1 and no result: KeyError: 'odd'"),
        ("bytearray(1 << 30)", "more than 512 MiB of memory"),
        ('os.write(2, b"what():  std::bad_alloc"); os.abort()', "more than 512 MiB of memory"),
        ("while True: os.write(1, bytes(65536))", "wrote more than 262144 bytes"),
        ("[os.write(n, b'garbage\\n') for n in range(3, 6)]", "no result"),
        ("[os.write(n, b'[' * 99999 + b'\\n') for n in range(3, 6)]", "no result"),
        ("[os.write(n, b'{\"figures\": {}}\\n') for n in range(3, 6)]", "no result"),
        ("os.fork()", "Operation not permitted"),
        ("import threading; threading.Thread(target=print).start()", "can't start new thread"),
        ("import socket; socket.socket()", "Operation not permitted"),
        ("import tempfile; tempfile.TemporaryFile().write(bytes(1 << 20))", "File too large"),
        ("[open('/dev/null') for _ in range(99)]", "Too many open files"),
    ],
)
def test_harm_becomes_a_reason(folder: Path, does: str, said: str) -> None:
    verdict = tried(folder, python=python_that(folder, does))
    assert not verdict.ok
    assert verdict.figures is None
    assert re.search(said, verdict.reason), verdict.reason


@runs_models
def test_the_reason_says_what_was_being_done(folder: Path) -> None:
    verdict = tried(folder, python=python_that(folder, "os.abort()"))
    assert verdict.reason.startswith(
        f"{folder / 'model.tflite'} failed while running the picture black: it gave up"
    )


@runs_models
def test_processor_time_is_limited(folder: Path) -> None:
    """That a limit is set, and what is said of one that is reached: reaching it takes seconds."""
    limits = "import resource; raise KeyError(resource.getrlimit(resource.RLIMIT_CPU))"
    verdict = tried(folder, python=python_that(folder, limits), limits=Limits(cpu_s=1000))
    assert re.search(r"KeyError: \(100\d, 100\d\)$", verdict.reason)
    reached = python_that(folder, "import signal; signal.raise_signal(signal.SIGXCPU)")
    assert "used more than 20 s of processor time" in tried(folder, python=reached).reason


@runs_models
def test_a_model_that_waits_is_ended(folder: Path) -> None:
    # It reports only once the time is nearly up, so the machine's own speed does not matter.
    waiting = folder / "python"
    waiting.write_text('#!/bin/sh\necho \'{"step": "loading it"}\'\nexec sleep 60\n')
    waiting.chmod(0o700)
    verdict = tried(folder, python=str(waiting), limits=Limits(wall_s=1))
    assert verdict.reason.endswith("failed while loading it: it took longer than 1 s")


@runs_models
def test_the_system_closes_every_fence_or_the_verdict_says_so(folder: Path) -> None:
    refusing = "from edge_runtime.store.trial import calls; calls.machine_of = lambda *_: None"
    verdict = tried(folder, python=python_that(folder, "pass", prepares=refusing))
    assert verdict.ok, verdict.reason
    assert any(gap.startswith("no sockets and processes: ") for gap in verdict.gaps)


@runs_models
def test_limits_that_are_lower_already_stay(folder: Path) -> None:
    lower = "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (15, 15))"
    verdict = tried(folder, python=python_that(folder, "pass", prepares=lower))
    assert verdict.ok, verdict.reason
    assert not any(gap.startswith("limits: ") for gap in verdict.gaps)


@runs_models
def test_examples_decide_too(folder: Path) -> None:
    np.savez(
        folder / "examples.npz",
        pictures=np.random.default_rng(1).integers(0, 256, (8, 8, 8), np.uint8),
        answers=np.full(8, 7),  # no label stands there, so none can be right
    )
    verdict = tried(folder, examples=folder / "examples.npz", least_accuracy=0.5)
    assert "gets 0.0% of 8 examples right, at least 50.0% are asked for" in verdict.reason
    verdict = tried(folder, examples=folder / "examples.npz")
    assert verdict.figures is not None
    assert verdict.figures.accuracy == 0


def test_broken_examples_are_not_the_models_fault(folder: Path) -> None:
    with pytest.raises(TrialImpossible, match=r"the examples .* cannot be read"):
        tried(folder, examples=folder / "missing.npz")


def test_no_process_starts_for_what_the_parser_refuses(folder: Path) -> None:
    """The interpreter named here does not exist, so starting it would raise."""
    model = folder / "model.tflite"
    whole = model.read_bytes()
    model.write_bytes(whole + b"\0")
    assert "is not the file its manifest describes" in tried(folder, python="/missing").reason
    assert "no .tflite model" in described_anew(folder, b"no model").reason
    assert "damaged or cut short" in described_anew(folder, whole[:900]).reason


def described_anew(folder: Path, content: bytes) -> Verdict:
    """The verdict on a file whose manifest is about these very bytes."""
    (folder / "model.tflite").write_bytes(content)
    manifest = replace(manifest_of(folder), sha256=hashlib.sha256(content).hexdigest())
    return run(folder / "model.tflite", manifest, python="/missing")


def test_a_file_that_is_too_large_is_not_read(folder: Path) -> None:
    verdict = tried(folder, limits=Limits(model_bytes=100), python="/missing")
    assert "expected at most 100" in verdict.reason
    assert verdict.sha256 is None


def test_a_missing_file_is_a_verdict(folder: Path) -> None:
    manifest = manifest_of(folder)
    (folder / "model.tflite").unlink()
    verdict = run(folder / "model.tflite", manifest)
    assert (verdict.ok, verdict.sha256) == (False, None)
    assert "there is no model file" in verdict.reason


@pytest.mark.parametrize("python", ["/missing", "/bin/false"])
def test_a_process_that_does_not_start_is_not_the_models_fault(folder: Path, python: str) -> None:
    with pytest.raises(TrialImpossible, match="cannot be tried"):
        tried(folder, python=python)


def test_a_missing_interpreter_is_not_the_models_fault(folder: Path) -> None:
    without = "import edge_runtime.engine.litert as litert; litert.PACKAGES.clear()"
    with pytest.raises(LibraryMissing, match="no model can run"):
        tried(folder, python=python_that(folder, "pass", prepares=without))


def test_what_a_process_started_ends_with_it() -> None:
    """The shell ends at once; the sleeper it started holds the pipe and would hold the group."""
    ending = run_watched(
        ["/bin/sh", "-c", "sleep 60 & echo $!"],
        stdin=0,
        environment={},
        wall_s=30,
        most_bytes=100,
    )
    assert (ending.status, ending.stopped) == (0, None)
    assert ends_within(10, int(ending.said))


def ends_within(seconds: float, pid: int) -> bool:
    try:
        process = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    with os.fdopen(process) as file:
        return bool(select.select([file], [], [], seconds)[0])


def test_nothing_of_ours_reaches_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "token")
    ending = run_watched(
        [sys.executable, "-c", "import os; print(dict(os.environ), os.getcwd(), os.getsid(0))"],
        stdin=0,
        environment={"LC_ALL": "C.UTF-8"},
        wall_s=30,
        most_bytes=1000,
    )
    assert ending.said.decode().startswith("{'LC_ALL': 'C.UTF-8'} / ")
