from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from edge_runtime.doctor.library import Library, find_library
from edge_runtime.doctor.machine import Python, this_python, this_user
from edge_runtime.doctor.software import (
    check_opencv,
    check_picamera2,
    check_python,
    check_runtime,
)
from tests.doctor.conftest import WELL, Bench, plan_of, python_of

MakeBench = Callable[[str], Bench]
APT = "usr/lib/python3/dist-packages/picamera2"


@pytest.mark.parametrize(
    ("python", "state"),
    [
        (python_of(), "fine"),
        (python_of((3, 11, 2), architecture="x86_64"), "fine"),
        (python_of((3, 9, 2)), "act"),
        (python_of(bits=32), "act"),
        (python_of(architecture="riscv64"), "act"),
        (python_of((3, 15, 0)), "watch"),
    ],
)
def test_python_must_be_recent_64_bit_and_have_wheels(
    bench: MakeBench, python: Python, state: str
) -> None:
    finding = check_python(bench("pi4b").machine(python=python))
    assert finding.state == state
    assert (finding.remedy is None) == (state == "fine")
    assert f"{python.bits}-bit" in finding.text


def test_the_living_runtime_is_fine(bench: MakeBench) -> None:
    finding = check_runtime(bench("pi4b").machine())
    assert (finding.state, finding.text) == ("fine", "ai-edge-litert 2.3.0")


def test_no_runtime_at_all_names_the_package(bench: MakeBench) -> None:
    made = bench("pi4b")
    made.libraries = {}
    finding = check_runtime(made.machine())
    assert finding.state == "act"
    assert finding.remedy == "pip install ai-edge-litert"


@pytest.mark.parametrize(("numpy", "state"), [("1.26.4", "watch"), ("2.3.1", "act")])
def test_the_old_runtime_needs_the_old_numpy(bench: MakeBench, numpy: str, state: str) -> None:
    made = bench("pi4b")
    made.libraries = {
        "tflite_runtime": Library("2.14.0", None, None),
        "numpy": Library(numpy, None, None),
    }
    finding = check_runtime(made.machine())
    assert finding.state == state
    assert "tflite-runtime 2.14.0" in finding.text


def test_a_library_that_does_not_load_says_why(bench: MakeBench) -> None:
    made = bench("pi4b")
    crash = Library("4.12.0", None, "importing it crashes with SIGILL")
    made.libraries = WELL | {"cv2": crash}
    finding = check_opencv(made.machine())
    assert finding.state == "act"
    assert "SIGILL" in finding.text


def test_a_laptop_is_not_asked_for_picamera2(bench: MakeBench) -> None:
    assert check_picamera2(bench("x86-laptop").machine(), plan_of()) is None


@pytest.mark.parametrize(("source", "state"), [("auto", "watch"), ("picamera://0", "act")])
def test_a_missing_picamera2_matters_as_much_as_it_is_wanted(
    bench: MakeBench, source: str, state: str
) -> None:
    finding = check_picamera2(bench("pi5").machine(), plan_of(source))
    assert finding is not None
    assert finding.state == state
    assert "apt install" in (finding.remedy or "")


def test_a_virtual_environment_that_hides_the_systems_picamera2_is_named(
    bench: MakeBench, tmp_path: Path
) -> None:
    made = bench("pi5")
    made.board.write(f"{APT}/__init__.py", "")
    venv = tmp_path / "venv"
    venv.mkdir()
    (venv / "pyvenv.cfg").write_text("home = /usr/bin\ninclude-system-site-packages = false\n")
    hidden = check_picamera2(made.machine(python=python_of(prefix=str(venv))), plan_of())
    assert hidden is not None
    assert str(venv) in hidden.text
    assert "--system-site-packages" in (hidden.remedy or "")
    (venv / "pyvenv.cfg").write_text("home = /opt/bin\ninclude-system-site-packages = true\n")
    other = check_picamera2(made.machine(python=python_of(prefix=str(venv))), plan_of())
    assert other is not None
    assert "the system's own Python" in other.text


@pytest.mark.parametrize(("problem", "state"), [(None, "watch"), ("no libcamera", "act")])
def test_a_pip_copy_that_hides_apts_is_named(
    bench: MakeBench, problem: str | None, state: str
) -> None:
    made = bench("pi5")
    made.board.write(f"{APT}/__init__.py", "")
    copy = Library("0.3.12", Path("/venv/site-packages/picamera2"), problem)
    made.libraries = WELL | {"picamera2": copy}
    finding = check_picamera2(made.machine(), plan_of())
    assert finding is not None
    assert finding.state == state
    assert "/venv/site-packages" in finding.text
    assert (finding.remedy or "").startswith("pip uninstall picamera2")


def test_apts_picamera2_is_fine(bench: MakeBench) -> None:
    made = bench("pi5")
    made.board.write(f"{APT}/__init__.py", "")
    made.libraries = WELL | {"picamera2": Library("0.3.30", made.board.root / APT, None)}
    finding = check_picamera2(made.machine(), plan_of("picamera://0"))
    assert finding is not None
    assert finding.state == "fine"


def test_real_libraries_are_found_and_tried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = find_library("click")
    assert found is not None
    assert found.problem is None
    assert found.version is not None
    assert find_library("no_such_library_anywhere") is None
    (tmp_path / "torn_library.py").write_text("raise ImportError('libfoo.so.1 is missing')\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    torn = find_library("torn_library")
    assert torn is not None
    assert torn.problem == "ImportError: libfoo.so.1 is missing"


def test_a_library_that_kills_the_interpreter_is_survived(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "wrong_wheel.py").write_text("import os; os.kill(os.getpid(), 9)\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    found = find_library("wrong_wheel")
    assert found is not None
    assert found.problem == "importing it crashes with SIGKILL"


def test_this_interpreter_and_user() -> None:
    assert this_python().version == sys.version_info[:3]
    assert this_python().in_venv == (sys.prefix != sys.base_prefix)
    assert this_user().name
    assert this_user().groups <= this_user().known_groups
