"""The unit files, as systemd itself reads them."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from edge_runtime.config import Config
from edge_runtime.config.layer import environment_layer
from edge_runtime.update.keep import FOLDER, RESCUE

UNITS = ("edge-runtime.service", "edge-runtime@.service")

MOST_EXPOSED = 15
"""Of ``systemd-analyze security``: 1.5, times ten."""

NEWER_THAN_BOOKWORM = {"RestartSteps", "RestartMaxDelaySec"}

needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="needs systemd-analyze (package systemd)"
)


@pytest.fixture
def systemd(repository: Path) -> Path:
    return repository / "systemd"


def analyze(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["systemd-analyze", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def settings(unit: str) -> list[tuple[str, str]]:
    """Every ``Key=value`` line in order."""
    return re.findall(r"(?m)^([A-Z]\w+)=(.*)$", unit)


@needs_systemd
@pytest.mark.parametrize("name", [*UNITS, "edge-runtime-update.service"])
def test_systemd_understands_every_line(name: str, systemd: Path, tmp_path: Path) -> None:
    # The program is not installed at its place here: any that exists stands for it.
    text = (systemd / name).read_text().replace("/usr/bin/edge-runtime", sys.executable)
    here = tmp_path / name.replace("@", "@yard")
    here.write_text(text)
    shutil.copy(systemd / "edge-runtime.slice", tmp_path)
    said = analyze("verify", "--man=no", here).stderr.splitlines()
    ours = [line for line in said if str(tmp_path) in line or here.name in line]
    unknown = {found[1] for line in ours if (found := re.search(r"Unknown key '(\w+)'", line))}
    assert unknown <= NEWER_THAN_BOOKWORM
    assert [line for line in ours if "Unknown key" not in line] == []


@needs_systemd
@pytest.mark.parametrize("name", UNITS)
def test_the_sandbox_is_as_tight_as_promised(name: str, systemd: Path) -> None:
    done = analyze(
        "security", "--offline=true", f"--threshold={MOST_EXPOSED}", "--no-pager", systemd / name
    )
    assert done.returncode == 0, done.stdout.splitlines()[-1]


@needs_systemd
def test_a_looser_sandbox_would_be_noticed(systemd: Path, tmp_path: Path) -> None:
    unit = tmp_path / "edge-runtime.service"
    unit.write_text((systemd / unit.name).read_text().replace("ProtectSystem=strict\n", ""))
    done = analyze("security", "--offline=true", f"--threshold={MOST_EXPOSED}", unit)
    assert done.returncode != 0


def test_an_instance_is_the_service_with_files_of_its_own(systemd: Path) -> None:
    single, instance = (settings((systemd / name).read_text()) for name in UNITS)
    differing = {
        key for (key, one), (_, other) in zip(single, instance, strict=True) if one != other
    }
    assert [key for key, _ in single] == [key for key, _ in instance]
    assert differing == {
        "Description",
        "ExecStart",
        "ExecReload",
        "StateDirectory",
        "RuntimeDirectory",
    }


def test_an_update_that_was_cut_short_is_mended_before_the_service(systemd: Path) -> None:
    mends = dict(settings((systemd / "edge-runtime-update.service").read_text()))
    rescue = str(FOLDER / RESCUE)
    assert mends["ConditionPathExists"] == rescue
    assert mends["ExecStart"] == f"/usr/bin/python3 -I {rescue}"
    for name in UNITS:
        after = dict(settings((systemd / name).read_text()))["After"].split()
        assert "edge-runtime-update.service" in after


def test_cameras_pins_meters_and_the_firmware_can_be_reached(systemd: Path) -> None:
    lines = settings((systemd / UNITS[0]).read_text())
    allowed = {value.split()[0] for key, value in lines if key == "DeviceAllow"}
    assert {
        "char-video4linux",
        "char-media",
        "char-dma_heap",
        "char-gpiochip",
        "char-i2c",
        "/dev/vcio",
    } <= allowed
    assert not {"PrivateDevices", "ProcSubset"} & {key for key, _ in lines}


def test_what_the_unit_sets_in_the_environment_are_settings(systemd: Path) -> None:
    lines = settings((systemd / UNITS[0]).read_text())
    environ = dict(value.split("=", 1) for key, value in lines if key == "Environment")
    assert environ
    layer = environment_layer(environ, None)
    assert layer.problems == ()
    assert layer.values == {"capture.wait_at_start": True}


def test_the_watchdog_leaves_a_camera_the_time_it_may_take(systemd: Path) -> None:
    values = dict(settings((systemd / UNITS[0]).read_text()))
    assert int(values["WatchdogSec"]) > 2 * Config().capture.stall_timeout_s
    assert int(values["TimeoutStopSec"]) > 2 * Config().web.graceful_shutdown_s


@needs_systemd
@pytest.mark.skipif(shutil.which("systemd-sysusers") is None, reason="needs systemd-sysusers")
def test_the_user_gets_the_groups_of_cameras_and_pins(systemd: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        ["systemd-sysusers", f"--root={tmp_path}", "--dry-run", systemd / "edge-runtime.sysusers"],
        capture_output=True,
        text=True,
        check=False,
        timeout=10,
    )
    assert done.returncode == 0, done.stderr
    lines = (systemd / "edge-runtime.sysusers").read_text().splitlines()
    member = {line.split()[2] for line in lines if line.startswith("m ")}
    assert member == {"video", "render", "i2c", "gpio"}
