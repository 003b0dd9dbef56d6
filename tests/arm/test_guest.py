"""What is put into the guest, and what its answers are taken for."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.arm_board import CPUS
from tests.arm import outputs
from tests.arm.__main__ import boards, parser
from tests.arm.guest import REPOSITORY, board_lock, environment, register_emulator
from tests.arm.runtime import checks_of, compared, demo_figure, runtime_tests, suite_figure
from tests.proof import Unmet

MODELS = REPOSITORY / "models"


def test_outputs_are_repeatable_and_of_every_model() -> None:
    once = outputs.hashes(MODELS)
    assert once == outputs.hashes(MODELS)
    assert once.keys() == {folder.name for folder in MODELS.iterdir() if folder.is_dir()}
    assert len(set(once.values())) == len(once)


def test_one_bit_apart_is_seen() -> None:
    here = {"smile": "a" * 64, "mask": "b" * 64}
    assert "smile aaaaaaaaaaaa" in compared(here, dict(here))
    with pytest.raises(Unmet, match="outputs differ: smile"):
        compared(here, here | {"smile": "a" * 63 + "b"})
    with pytest.raises(Unmet, match="outputs differ: mask"):
        compared(here, {"smile": "a" * 64})
    with pytest.raises(Unmet, match="no model"):
        compared({}, {})


def summary(**changed: object) -> dict[str, object]:
    check = {"faces": 30, "found": 27, "false": 0}
    return {"frames": 30, "self_check": check} | changed


def test_a_demo_that_found_its_faces() -> None:
    assert demo_figure(summary()) == "30 frames, 27 of 30 faces, 0 false"


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({"frames": 29}, "29 of 30 frames"),
        ({"self_check": None}, "checked nothing"),
        ({"self_check": {"faces": 30, "found": 23, "false": 0}}, "23 of 30 faces"),
        ({"self_check": {"faces": 0, "found": 0, "false": 0}}, "0 of 0 faces"),
        ({"self_check": {"faces": 30, "found": 30, "false": 1}}, "1 false"),
    ],
)
def test_a_demo_that_did_not(changed: dict[str, object], complaint: str) -> None:
    with pytest.raises(Unmet, match=complaint):
        demo_figure(summary(**changed))


def test_a_suite_names_what_failed() -> None:
    good = '<testcase classname="tests.a" name="one"/>'
    skipped = '<testcase classname="tests.a" name="two"><skipped/></testcase>'
    bad = '<testcase classname="tests.b" name="three"><error/></testcase>'
    assert suite_figure(f"<x>{good}{skipped}</x>") == "1 passed, 1 skipped"
    with pytest.raises(Unmet, match=r"1 of 2 failed: tests\.b\.three"):
        suite_figure(f"<x>{good}{bad}</x>")
    with pytest.raises(Unmet, match="no test ran"):
        suite_figure(f"<x>{skipped}</x>")


def test_the_runtimes_rooms_are_tested_and_the_makers_are_not() -> None:
    rooms = set(runtime_tests(REPOSITORY / "tests"))
    assert {"tests/engine", "tests/capture", "tests/web", "tests/test_classify.py"} <= rooms
    assert not {"tests/compress", "tests/deploy", "tests/arm", "tests/test_docs.py"} & rooms


def test_the_guest_gets_the_lock_without_what_only_checks_code() -> None:
    lock = board_lock("# made\n\nnumpy==2.0\nruff==1\npytest==9\n")
    assert lock == "numpy==2.0\npytest==9\n"


def test_the_processor_is_always_named() -> None:
    assert {environment(cpu)["QEMU_CPU"] for cpu in CPUS} == {
        "cortex-a53",
        "cortex-a72",
        "cortex-a76",
    }


def test_the_kernel_learns_of_arm_programs_once(tmp_path: Path) -> None:
    binfmt, handler = tmp_path / "binfmt_misc", tmp_path / "qemu-aarch64.conf"
    binfmt.mkdir()
    (binfmt / "register").write_text("")
    with pytest.raises(SystemExit, match="sudo apt install qemu-user-static"):
        register_emulator(binfmt, handler)
    handler.write_text(":qemu-aarch64:M::...:F\n")
    register_emulator(binfmt, handler)
    assert (binfmt / "register").read_text() == handler.read_text()
    (binfmt / "qemu-aarch64").write_text("enabled")
    (binfmt / "register").write_text("")
    register_emulator(binfmt, handler)
    assert (binfmt / "register").read_text() == ""


def test_the_command_line_chooses_suites_and_processors() -> None:
    def names(*arguments: str) -> list[str]:
        return [str(board) for board in boards(parser().parse_args(arguments))]

    assert names("--quick") == ["trixie, cortex-a72"]
    assert len(names()) == 9
    assert names("--suite", "bookworm", "--cpu", "cortex-a53") == ["bookworm, cortex-a53"]


def test_tflite_runtime_is_not_held_to_the_others_rounding() -> None:
    exact = [check.__name__ for check in checks_of("trixie", quick=True)]
    other = [check.__name__ for check in checks_of("bookworm-tflite-runtime", quick=True)]
    assert set(exact) - set(other) == {"same_outputs"}
