from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest

from edge_runtime.doctor.cameras import check_cameras, check_groups
from edge_runtime.doctor.finding import Finding
from edge_runtime.doctor.hardware import (
    check_board,
    check_memory,
    check_supply,
    check_temperature,
)
from edge_runtime.doctor.machine import User
from tests.doctor.conftest import Bench, Node, plan_of

MakeBench = Callable[[str], Bench]
LISTED = """Available cameras
-----------------
0 : imx708 [4608x2592 10-bit RGGB] (/base/axi/pcie@120000/rp1/i2c@88000/imx708@1a)
    Modes: 'SRGGB10_CSI2P' : 1536x864 [120.13 fps - (768, 432)/3072x1728 crop]
1 : ov5647 [2592x1944 10-bit GBRG] (/base/axi/pcie@120000/rp1/i2c@80000/ov5647@36)
"""


def named(findings: Iterable[Finding]) -> dict[str, Finding]:
    return {finding.name: finding for finding in findings}


# --- power supply, heat, memory


def test_a_pi_4b_that_was_once_short_of_voltage(bench: MakeBench) -> None:
    found = named(check_supply(bench("pi4b").machine()))
    assert found["power supply"].state == "watch"
    assert "not now" in found["power supply"].text
    assert found["throttling"].state == "watch"
    assert "supply current" not in found


def test_under_voltage_now_has_to_be_acted_on(bench: MakeBench) -> None:
    made = bench("pi4b")
    made.board.answer("vcgencmd get_throttled", "throttled=0x50005")
    found = named(check_supply(made.machine()))
    assert (found["power supply"].state, found["throttling"].state) == ("act", "act")


def test_a_3b_plus_at_its_soft_limit(bench: MakeBench) -> None:
    found = named(check_supply(bench("pi3b-plus").machine()))
    assert found["power supply"].state == "fine"
    assert found["throttling"].state == "act"
    assert "soft heat limit" in found["throttling"].text


def test_what_only_vcgencmd_knows_is_unknown_without_it(bench: MakeBench) -> None:
    made = bench("pi3b-plus")
    made.board.write("sys/devices/platform/soc/soc:firmware/get_throttled", "0\n")
    made.board.uninstall("vcgencmd")
    found = named(check_supply(made.machine()))
    assert found["power supply"].state == "unknown"


def test_a_zero_without_vcgencmd_does_not_tell(bench: MakeBench) -> None:
    made = bench("zero2w")
    made.board.uninstall("vcgencmd")
    assert named(check_supply(made.machine()))["power supply"].state == "unknown"


def test_a_pi_5_on_three_amperes(bench: MakeBench) -> None:
    found = named(check_supply(bench("pi5").machine()))
    assert found["supply current"].state == "watch"
    assert "3000 mA" in found["supply current"].text


def test_a_pi_5_whose_usb_limit_is_lifted(bench: MakeBench) -> None:
    made = bench("pi5")
    made.board.write("proc/device-tree/chosen/power/max_current", r"\0\0\x13\x88")
    made.board.write("proc/device-tree/chosen/power/usb_max_current_enable", r"\0\0\0\x01")
    found = named(check_supply(made.machine()))["supply current"]
    assert found.state == "fine"
    assert "5000 mA" in found.text


def test_a_laptop_has_no_such_supply(bench: MakeBench) -> None:
    assert list(check_supply(bench("x86-laptop").machine())) == []


@pytest.mark.parametrize(
    ("milli", "state"), [("52000", "fine"), ("70000", "watch"), ("80000", "act"), ("x", "unknown")]
)
def test_heat(bench: MakeBench, milli: str, state: str) -> None:
    made = bench("pi4b")
    made.board.write("sys/class/thermal/thermal_zone0/temp", f"{milli}\n")
    made.board.remove("sys/class/hwmon/hwmon0/temp1_input")
    assert check_temperature(made.machine()).state == state


def test_little_camera_memory(bench: MakeBench) -> None:
    found = named(check_memory(bench("pi3b-plus").machine()))
    assert found["camera memory"].state == "watch"
    assert "21 of 256 MiB" in found["camera memory"].text
    assert "cma-256" in (found["camera memory"].remedy or "")


@pytest.mark.parametrize(
    ("available", "state"), [("900000", "fine"), ("180000", "watch"), ("100000", "act")]
)
def test_memory(bench: MakeBench, available: str, state: str) -> None:
    made = bench("pi4b")
    text = (made.board.root / "proc/meminfo").read_text()
    made.board.write("proc/meminfo", text.replace("3321004", available))
    assert named(check_memory(made.machine()))["memory"].state == state


@pytest.mark.parametrize(
    ("board", "state"),
    [("pi4b", "watch"), ("pi5", "fine"), ("zero2w", "fine"), ("x86-laptop", "fine")],
)
def test_swap_on_a_card_is_to_be_watched(bench: MakeBench, board: str, state: str) -> None:
    assert named(check_memory(bench(board).machine()))["swap"].state == state


def test_nothing_is_fine_on_a_machine_that_tells_nothing(bench: MakeBench) -> None:
    made = bench("pi5")
    machine = made.machine()
    machine.files.root = made.board.root / "nowhere"
    findings = [check_board(machine), check_temperature(machine), *check_memory(machine)]
    assert {finding.state for finding in findings} == {"unknown"}


# --- cameras and groups


def test_cameras_and_who_holds_them(bench: MakeBench) -> None:
    made = bench("x86-laptop")
    made.nodes = (
        Node(),
        Node("/dev/video1", is_capture=False),
        Node("/dev/video2", "Webcam", held_by=("motion (process 412)",)),
        Node("/dev/video3", is_capture=None),
    )
    found = named(check_cameras(made.machine(), plan_of()))
    assert {name: f.state for name, f in found.items()} == {
        "/dev/video0": "fine",
        "/dev/video2": "watch",
        "/dev/video3": "unknown",
    }
    assert "motion (process 412)" in found["/dev/video2"].text


def test_a_held_camera_that_is_wanted_has_to_be_acted_on(bench: MakeBench) -> None:
    made = bench("x86-laptop")
    made.nodes = (Node(held_by=("motion (process 412)",)),)
    (finding,) = check_cameras(made.machine(), plan_of("v4l2:///dev/video0"))
    assert finding.state == "act"


def test_every_camera_of_the_settings_is_a_wanted_one(bench: MakeBench) -> None:
    made = bench("x86-laptop")
    holder = ("motion (process 412)",)
    made.nodes = tuple(Node(f"/dev/video{n}", held_by=holder) for n in (0, 2, 4))
    wanted = ("v4l2:///dev/video0", "rtsp://yard/1", "v4l2:///dev/video4")
    found = named(check_cameras(made.machine(), plan_of(source_uris=wanted)))
    assert [finding.state for finding in found.values()] == ["act", "watch", "act"]


def test_forbidden_nodes_are_said_in_one_line(bench: MakeBench) -> None:
    made = bench("pi4b")
    made.nodes = [Node(f"/dev/video{n}", is_capture=None, readable=False) for n in range(10, 20)]
    made.board.answer("rpicam-hello --list-cameras", LISTED)
    found = named(check_cameras(made.machine(), plan_of()))
    assert set(found) == {"cameras", "Pi camera"}
    assert found["cameras"].state == "act"


def test_pi_cameras_are_listed_by_their_sensors(bench: MakeBench) -> None:
    made = bench("pi5")
    made.board.answer("rpicam-hello --list-cameras", LISTED)
    found = named(check_cameras(made.machine(), plan_of()))
    assert found["Pi camera"].text == "imx708 (4608x2592), ov5647 (2592x1944)"


@pytest.mark.parametrize(("source", "state"), [("auto", "watch"), ("picamera://0", "act")])
def test_no_pi_camera(bench: MakeBench, source: str, state: str) -> None:
    made = bench("pi5")
    made.board.answer("rpicam-hello --list-cameras", "No cameras available!")
    assert named(check_cameras(made.machine(), plan_of(source)))["Pi camera"].state == state


def test_without_rpicam_the_pi_camera_is_unknown(bench: MakeBench) -> None:
    found = named(check_cameras(bench("pi5").machine(), plan_of("picamera://0")))
    assert found["Pi camera"].state == "unknown"


@pytest.mark.parametrize(("source", "state"), [("auto", "watch"), ("v4l2:///dev/video0", "act")])
def test_a_laptop_without_a_camera(bench: MakeBench, source: str, state: str) -> None:
    (finding,) = check_cameras(bench("x86-laptop").machine(), plan_of(source))
    assert finding.state == state


@pytest.mark.parametrize(
    ("user", "state"),
    [
        (User("root", True, frozenset(), frozenset({"video"})), "fine"),
        (User("pi", False, frozenset({"video"}), frozenset({"video", "i2c"})), "fine"),
        (User("pi", False, frozenset({"i2c"}), frozenset({"video", "i2c"})), "act"),
        (User("pi", False, frozenset({"pi"}), frozenset({"pi"})), "unknown"),
    ],
)
def test_groups(bench: MakeBench, user: User, state: str) -> None:
    assert check_groups(bench("pi4b").machine(user=user)).state == state
