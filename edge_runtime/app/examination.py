"""The doctor's questions with the answers of the settings in force."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from edge_runtime.capture.devices import CameraDevice, list_cameras
from edge_runtime.config import Config
from edge_runtime.doctor.examination import examine
from edge_runtime.doctor.finding import Finding
from edge_runtime.doctor.machine import Machine
from edge_runtime.doctor.plan import Plan
from edge_runtime.store.catalogue import Catalogue

CONFIG_CHECK: Final = "config"
"""What a running program reads was found good when it started."""


def plan_of(config: Config, file: Path | None = None) -> Plan:
    """What ``config`` asks of this machine; ``file`` is where it stands."""
    catalogue = Catalogue(config.models.dirs)

    def load(name: str) -> str:
        model = catalogue.find(name)
        return f"{model.manifest.kind} {model.manifest.version}, {model.bytes / 1024:.0f} KiB"

    return Plan(
        config_file=file,
        source_uris=tuple(camera.uri for camera in config.cameras),
        state_dir=config.state_dir,
        web_address=(config.web.host, config.web.port) if config.web.enabled else None,
        models=(config.detector.model, *config.classify.models),
        load_model=load,
    )


class Examination:
    """What ``edge-runtime doctor`` would say, asked by the running program itself."""

    def __init__(self, config: Config, machine: Machine | None = None) -> None:
        self._plan = replace(plan_of(config), web_address=None)  # the port is taken: by us
        self._machine = machine or Machine(cameras=cameras_of_others)

    def __call__(self) -> Sequence[Finding]:
        """Takes seconds, and starts programs that list cameras: for a worker thread."""
        found = examine(self._machine, self._plan)
        return [finding for finding in found if finding.name != CONFIG_CHECK]


def cameras_of_others() -> tuple[CameraDevice, ...]:
    """Every camera, and who holds it beside this process."""
    us = os.getpid()
    return tuple(
        replace(each, held_by=tuple(holder for holder in each.held_by if holder.pid != us))
        for each in list_cameras()
    )
