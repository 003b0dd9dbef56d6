"""Config, models, the page's port, the clock."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from edge_runtime.doctor.finding import Finding
from edge_runtime.doctor.machine import Machine
from edge_runtime.doctor.plan import Plan
from edge_runtime.errors import ConfigError, ModelError

SETUP_REPORT: Final = "run/edge-runtime-setup.txt"
"""Written by ``edge-runtime setup``: one sentence for each line it could not use."""

# No clock that is right can be before this program was written.
_WRITTEN = datetime(2026, 1, 1, tzinfo=UTC)


def check_config(plan: Plan, error: ConfigError | None) -> Finding:
    """``error`` is why the config could not be read."""
    if error is not None:
        return Finding("config", "act", str(error), "edge-runtime config check FILE says more")
    return Finding("config", "fine", str(plan.config_file or "no file, defaults"))


def check_edge_conf(machine: Machine) -> Finding | None:
    """What could not be used of the card's ``edge.conf``; None where there was none this start."""
    report = machine.files.text(SETUP_REPORT)
    if report is None:
        return None
    problems = report.splitlines()
    if not problems:
        return Finding("edge.conf", "fine", "all of it was applied")
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    remedy = "correct the line in /boot/firmware/edge.conf, then `sudo edge-runtime setup`"
    return Finding("edge.conf", "act", f"{problems[0]}{more}", remedy)


def check_models(plan: Plan) -> Iterator[Finding]:
    """Every model the config names can be loaded."""
    remedy = "`edge-runtime models list` shows what there is"
    for name in plan.models:
        try:
            yield Finding(f"model {name}", "fine", plan.load_model(name))
        except ModelError as error:
            yield Finding(f"model {name}", "act", str(error), remedy)


def check_port(machine: Machine, plan: Plan) -> Finding | None:
    """Whether the page can listen."""
    if plan.web_address is None:
        return None
    host, port = plan.web_address
    try:
        machine.bind(host, port)
    except OSError as error:
        return _unbound(host, port, error)
    return Finding("port", "fine", f"{host} port {port or 'of its own choice'} is free")


def check_clock(machine: Machine) -> Finding:
    """Whether the time is plausible and kept by a time server."""
    now = datetime.fromtimestamp(machine.wall_clock(), UTC)
    text = f"{now:%Y-%m-%d %H:%M} UTC"
    remedy = "sudo timedatectl set-ntp true, and give it a network; a Pi has no clock of its own"
    if now < _WRITTEN:
        return Finding("clock", "act", f"{text} is in the past: HTTPS will fail", remedy)
    synchronized = _synchronized(machine)
    if synchronized is None:
        return Finding("clock", "unknown", f"{text}; nobody says whether a time server keeps it")
    if not synchronized:
        return Finding("clock", "watch", f"{text}, kept by no time server", remedy)
    return Finding("clock", "fine", f"{text}, kept by a time server")


def _unbound(host: str, port: int, error: OSError) -> Finding:
    if error.errno == errno.EADDRINUSE:
        text = f"{host} port {port} is taken: by a running edge-runtime, or by another program"
        remedy = f"`sudo ss -ltnp 'sport = :{port}'` says by whom; web.port chooses another"
        return Finding("port", "watch", text, remedy)
    text = f"{host} port {port}: {error.strerror or error}"
    return Finding("port", "act", text, "set web.host and web.port to an address of this machine")


def _synchronized(machine: Machine) -> bool | None:
    if machine.files.text("run/systemd/timesync/synchronized") is not None:
        return True
    answer = machine.run(("timedatectl", "show", "-p", "NTPSynchronized", "--value"))
    return {"yes": True, "no": False}.get(answer or "")
