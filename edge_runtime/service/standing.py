"""How the service stands, from what systemd knows of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

PROPERTIES: Final = (
    "LoadState",
    "ActiveState",
    "SubState",
    "UnitFileState",
    "StatusText",
    "Result",
    "ExecMainStatus",
    "NRestarts",
    "ActiveEnterTimestamp",
)


@dataclass(frozen=True, slots=True)
class Standing:
    """What ``systemctl show`` says, in words."""

    installed: bool
    state: str
    """``active``, ``activating``, ``failed``, ``inactive``, …"""
    at_boot: bool
    status: str
    """The service's own line; empty when it said none."""
    result: str
    """``success``, or why it ended: ``exit-code``, ``watchdog``, ``start-limit-hit``, …"""
    exit_code: int | None
    restarts: int | None
    since: str

    @property
    def is_well(self) -> bool:
        return self.state in ("active", "reloading")

    def lines(self) -> list[str]:
        """For people; the last one says what to do, where something is to be done."""
        if not self.installed:
            return ["not installed; sudo edge-runtime service install"]
        told = [f"{self.state}{f' since {self.since}' if self.is_well and self.since else ''}"]
        if self.status:
            told.append(self.status)
        told.append(f"at boot: {'starts' if self.at_boot else 'does not start'}")
        if self.restarts:
            told.append(f"restarts by systemd: {self.restarts}")
        if self.state == "failed":
            code = f", exit code {self.exit_code}" if self.exit_code is not None else ""
            told.append(f"why: {self.result}{code}; edge-runtime service logs says more")
        elif self.state == "inactive":
            told.append("sudo systemctl start edge-runtime")
        return told


def standing_of(properties: Mapping[str, str]) -> Standing:
    """Read the answer to PROPERTIES; what is missing there is unknown."""
    return Standing(
        installed=properties.get("LoadState", "not-found") != "not-found",
        state=properties.get("ActiveState", "unknown"),
        at_boot=properties.get("UnitFileState") == "enabled",
        status=properties.get("StatusText", ""),
        result=properties.get("Result", ""),
        exit_code=_number(properties.get("ExecMainStatus")),
        restarts=_number(properties.get("NRestarts")),
        since=properties.get("ActiveEnterTimestamp", ""),
    )


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isdecimal() else None
