"""What ``systemctl show`` says, told to people."""

from __future__ import annotations

from pathlib import Path

from edge_runtime.service.standing import PROPERTIES, standing_of
from edge_runtime.service.systemctl import Systemctl
from edge_runtime.service.unit import NAME
from tests.service.systemd_fake import FakeSystemd

RUNNING = {
    "LoadState": "loaded",
    "ActiveState": "active",
    "SubState": "running",
    "UnitFileState": "enabled",
    "StatusText": "29.9 fps, 3.8 ms to the result (p95), 52.3 °C",
    "Result": "success",
    "ExecMainStatus": "0",
    "NRestarts": "2",
    "ActiveEnterTimestamp": "Wed 2026-11-25 13:00:00 UTC",
}


def test_running() -> None:
    standing = standing_of(RUNNING)
    assert standing.is_well
    assert standing.lines() == [
        "active since Wed 2026-11-25 13:00:00 UTC",
        "29.9 fps, 3.8 ms to the result (p95), 52.3 °C",
        "at boot: starts",
        "restarts by systemd: 2",
    ]


def test_failed() -> None:
    failed = standing_of(
        RUNNING
        | {
            "ActiveState": "failed",
            "StatusText": "",
            "Result": "exit-code",
            "ExecMainStatus": "2",
            "NRestarts": "0",
        }
    )
    assert not failed.is_well
    assert failed.lines()[-1] == "why: exit-code, exit code 2; edge-runtime service logs says more"


def test_waiting_for_a_camera_is_not_yet_well() -> None:
    waiting = standing_of(RUNNING | {"ActiveState": "activating", "StatusText": "waiting for v4l2"})
    assert not waiting.is_well
    assert waiting.lines()[:2] == ["activating", "waiting for v4l2"]


def test_not_installed(tmp_path: Path) -> None:
    systemd = FakeSystemd(tmp_path)
    answer = Systemctl(root=systemd.root, run=systemd.run).properties(NAME, PROPERTIES)
    assert standing_of(answer).lines() == ["not installed; sudo edge-runtime service install"]


def test_an_old_systemd_that_answers_less() -> None:
    standing = standing_of({"LoadState": "loaded", "ActiveState": "inactive"})
    assert (standing.restarts, standing.exit_code) == (None, None)
    assert standing.lines()[-1] == "sudo systemctl start edge-runtime"
