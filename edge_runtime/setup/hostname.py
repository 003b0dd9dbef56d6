"""``hostname``: what the board is called, and so its address ``NAME.local``."""

from __future__ import annotations

import re

from edge_runtime.errors import ConfigError
from edge_runtime.setup.step import Step, Values
from edge_runtime.setup.system import System

_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", re.IGNORECASE)
"""A label of RFC 1123: what a name on the network may be."""


def _check(values: Values) -> None:
    name = values["hostname"]
    if not _LABEL.fullmatch(name) or name.isdigit():
        raise ConfigError(
            f"hostname {name!r:.80} is no name for a machine: 1 to 63 letters, digits and "
            "hyphens, such as cam7, without .local"
        )


def _apply(values: Values, system: System) -> str:
    name = values["hostname"].lower()
    system.write(system.at("etc/hostname"), f"{name}\n")
    hosts = [
        line for line in system.text("etc/hosts").splitlines() if line.split()[:1] != ["127.0.1.1"]
    ]
    system.write(system.at("etc/hosts"), "\n".join((*hosts, f"127.0.1.1\t{name}", "")))
    system.do("hostname", name)
    # Started before us where the package was installed on a running system.
    system.do("systemctl", "--no-block", "try-restart", "avahi-daemon.service")
    return f"this machine is called {name}"


HOSTNAME = Step(("hostname",), _check, _apply)
