"""The report on machines on paper: what it tells, and what it keeps to itself."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.pi.report import CAMERA, DOCTOR, Meter, doctor, report, rows, run_command
from tests.telemetry.recorded import RecordedMachine

RUN = json.dumps(
    {
        "frames": 150,
        "fps": 29.87,
        "dropped": 2,
        "latency_ms": {"frame": {"p50": 6.1, "p95": 7.9}, "age": {"p50": 41.0}},
    }
)
CAMERAS = """Available cameras
-----------------
0 : imx708 [4608x2592 10-bit RGGB] (/base/soc/i2c0mux/i2c@1/imx708@1a)
    Modes: 'SRGGB10_CSI2P' : 1536x864 [120.13 fps]
1 : imx219 [3280x2464 10-bit RGGB] (/base/axi/pcie@1000120000/rp1/i2c@88000/imx219@10)
"""
BENCH = json.dumps({"machine": {}, "latency": [{"model": "smile"}], "pipeline": {"frames": 100}})
WIFI = """Connected to d8:3a:dd:00:00:01 (on wlan0)
\tSSID: Home of the Owner
\tfreq: 5180.0
\tsignal: -52 dBm
\ttx bitrate: 390.0 MBit/s
"""


def pi5(tmp_path: Path) -> RecordedMachine:
    machine = RecordedMachine(tmp_path, "pi5")
    machine.write("sys/class/net/wlan0/operstate", "up\n")
    machine.answer(
        "systemd-analyze", "Startup finished in 1.2s (kernel) + 9s (userspace) = 10.2s\n"
    )
    machine.answer("edge-runtime --version", "edge-runtime 0.1.0\n")
    machine.answer("rpicam-hello --list-cameras", CAMERAS)
    machine.answer("iw dev wlan0 link", WIFI)
    machine.answer("edge-runtime bench latency pipeline --runs 100 --json", BENCH)
    for source in ("picamera://0", "demo://"):
        machine.answer(f"edge-runtime run --no-web --json --max-frames 150 --source {source}", RUN)
    return machine


def shown(machine: RecordedMachine, meter: Meter | None = None) -> dict[str, str | None]:
    found = rows(machine.root, machine.run, meter or Meter())
    return {row.what: row.shown for row in found}


def test_a_pi_5_tells_what_no_emulator_does(tmp_path: Path) -> None:
    found = shown(pi5(tmp_path), Meter(idle_w=2.7, running_w=4.1))
    assert found["board"] == "Raspberry Pi 5 Model B Rev 1.0"
    assert found["boot"] == "Startup finished in 1.2s (kernel) + 9s (userspace) = 10.2s"
    assert found["CSI camera 0"] == (
        "imx708 4608x2592: 150 frames, 29.9 fps, 2 dropped, frame 6.1 ms (p95 7.9), age 41.0 ms"
    )
    assert found["CSI camera 1"] is not None
    assert found["CSI camera 1"].startswith("imx219 3280x2464: did not run")
    assert found["Wi-Fi"] == "up, freq: 5180.0, signal: -52 dBm, tx bitrate: 390.0 MBit/s"
    assert found["bench latency"] == '[{"model": "smile"}]'
    assert found["power meter"] == "idle 2.70 W, running 4.10 W"
    assert found["heat and throttling after"] is not None
    assert found["heat and throttling after"].startswith("48.9 °C, throttled=")


def test_the_rails_of_a_pi_5_are_added_up(tmp_path: Path) -> None:
    machine = pi5(tmp_path)
    machine.answer(
        "vcgencmd pmic_read_adc",
        "VDD_CORE_A current(7)=2.0A\nEXT5V_V volt(24)=5.1V\nVDD_CORE_V volt(15)=0.9V\n",
    )
    assert shown(machine)["supply rails (PMIC)"] == "1.80 W on 1 rails"


def test_a_bare_board_says_what_it_does_not_tell(tmp_path: Path) -> None:
    machine = RecordedMachine(tmp_path, "zero2w")
    found = list(rows(machine.root, machine.run, Meter()))
    text = report(found, None)
    untold = {row.what for row in found if row.shown is None}
    assert {"service", "Wi-Fi", "CSI camera", "bench", "power meter"} <= untold
    assert "Not told here: system, " in text or "Not told here: boot, " in text
    assert "edge-runtime doctor does not answer" in text
    assert "| None |" not in text


def test_without_a_camera_it_says_so(tmp_path: Path) -> None:
    machine = pi5(tmp_path)
    machine.answer("rpicam-hello --list-cameras", "No cameras available!\n")
    assert shown(machine)["CSI camera"] == "none is connected"


def test_names_and_addresses_stay_at_home(tmp_path: Path) -> None:
    machine = pi5(tmp_path)
    machine.write("sys/class/net/wlan0/address", "d8:3a:dd:00:00:01\n")
    text = report(list(rows(machine.root, machine.run, Meter())), None)
    assert "Owner" not in text
    assert "d8:3a" not in text


def test_the_doctors_findings_are_lines(tmp_path: Path) -> None:
    machine = pi5(tmp_path)
    finding = {"name": "groups", "state": "act", "text": "pi is not in the group video"}
    machine.answer(" ".join(DOCTOR), json.dumps({"findings": [finding], "counts": {}}))
    assert doctor(machine.run) == "act     groups: pi is not in the group video"
    machine.answer(" ".join(DOCTOR), "Traceback")
    assert doctor(machine.run) is None


def test_cameras_are_found_as_libcamera_prints_them() -> None:
    assert CAMERA.findall(CAMERAS)[1] == ("1", "imx219", "3280x2464")


@pytest.mark.parametrize(
    ("argv", "printed"),
    [
        (("sh", "-c", "echo here"), "here\n"),
        (("sh", "-c", "echo here; exit 3"), None),
        (("no-such-program-anywhere",), None),
    ],
)
def test_a_command_that_fails_tells_nothing(argv: Sequence[str], printed: str | None) -> None:
    assert run_command(argv) == printed


def test_it_runs_on_any_machine_with_nothing_but_python(repository: Path, tmp_path: Path) -> None:
    script = repository / "tests/pi/report.py"
    done = subprocess.run(
        [sys.executable, "-S", "-I", script, "--idle-w", "2.5"],
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "| power meter | idle 2.50 W |" in done.stdout
    assert os.access(repository / "tests/pi/run", os.X_OK)
