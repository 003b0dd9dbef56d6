"""All checks in the order a person reads them."""

from __future__ import annotations

from collections.abc import Iterator

from edge_runtime.doctor.cameras import check_cameras, check_groups
from edge_runtime.doctor.finding import Finding
from edge_runtime.doctor.hardware import (
    check_board,
    check_memory,
    check_supply,
    check_temperature,
)
from edge_runtime.doctor.machine import Machine
from edge_runtime.doctor.plan import Plan
from edge_runtime.doctor.settings import (
    check_clock,
    check_config,
    check_edge_conf,
    check_models,
    check_port,
)
from edge_runtime.doctor.software import (
    check_opencv,
    check_picamera2,
    check_python,
    check_runtime,
)
from edge_runtime.doctor.storage import check_disk, check_root, check_state_dir
from edge_runtime.errors import ConfigError


def examine(
    machine: Machine, plan: Plan, *, config_error: ConfigError | None = None
) -> Iterator[Finding]:
    """One finding after the other, each as soon as it is known.

    What does not concern this kind of machine is left out; what it does not tell is ``unknown``.
    """
    yield check_board(machine)
    yield check_python(machine)
    yield check_runtime(machine)
    yield check_opencv(machine)
    yield from _known(check_picamera2(machine, plan))
    yield from check_cameras(machine, plan)
    yield check_groups(machine)
    yield from check_supply(machine)
    yield check_temperature(machine)
    yield from check_memory(machine)
    yield check_disk(machine, plan)
    yield check_root(machine)
    yield check_clock(machine)
    yield check_config(plan, config_error)
    yield from _known(check_edge_conf(machine))
    yield from check_models(plan)
    yield from _known(check_port(machine, plan))
    yield check_state_dir(machine, plan)


def _known(finding: Finding | None) -> Iterator[Finding]:
    if finding is not None:
        yield finding
