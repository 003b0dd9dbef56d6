"""The doctor inside the running program: what the program itself holds is not in its way."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from edge_runtime.app import examination
from edge_runtime.app.examination import Examination, cameras_of_others
from edge_runtime.capture.devices import CameraDevice, Holder
from edge_runtime.config import load_config
from tests.doctor.conftest import Bench
from tests.telemetry.recorded import RecordedMachine

US, THEM = Holder(os.getpid(), "edge-runtime"), Holder(1, "motion")
NODE = CameraDevice(
    path="/dev/video0", name="webcam", driver="uvcvideo", is_capture=True, formats=(),
    held_by=(US, THEM), readable=True,
)  # fmt: skip


def test_a_camera_held_by_ourselves_is_not_in_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(examination, "list_cameras", lambda: (NODE, replace(NODE, held_by=(US,))))
    assert [each.held_by for each in cameras_of_others()] == [(THEM,), ()]


def test_it_examines_the_machine_by_the_settings_in_force(tmp_path: Path) -> None:
    config = load_config(None, {}, {"source.uri": "demo://", "state_dir": str(tmp_path)})
    bench = Bench(RecordedMachine(tmp_path / "root", "pi4b"))
    names = {finding.name for finding in Examination(config, bench.machine())()}
    assert {"board", "model face-glance", "state folder"} <= names
    assert not names & {"port", "config"}
