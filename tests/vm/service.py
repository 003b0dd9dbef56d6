"""The service inside the virtual machine, as the checks speak of it."""

from __future__ import annotations

import json
from typing import Any

from tests.proof import expect
from tests.vm.machine import Machine

UNIT = "edge-runtime.service"
CONFIG = "/etc/edge-runtime/config.toml"
STATE = "/var/lib/edge-runtime"
DEMO = "demo://?faces=1&fps=2"
"""So slow that an emulated processor has time left."""

PATIENCE_S = 120
"""Seconds of the machine's clock; what has to be faster is measured and held to its own limit."""

AS_SERVICE = "setpriv --reuid=edge-runtime --regid=edge-runtime --init-groups"


class Service:
    """Settings, states and answers of ``edge-runtime.service``."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.token: str | None = None

    def configure(self, *, source: str) -> None:
        """Seen from outside, on one camera, with a token."""
        text = f'[source]\nuri = "{source}"\n\n[web]\nhost = "0.0.0.0"\n'
        self.write_config(text)
        if self.token is None:
            # As systemd makes it at the first start, which does not succeed without a token.
            owner = "--owner=edge-runtime --group=edge-runtime"
            self.machine.must(f"install --directory --mode=0700 {owner} {STATE}")
            options = f"--scope admin --set state_dir={STATE}"
            said = self.machine.must(f"{AS_SERVICE} edge-runtime token new {options} 2>/dev/null")
            self.token = said.splitlines()[-1]

    def write_config(self, text: str) -> None:
        self.machine.must(f"cat >{CONFIG} <<'END'\n{text}\nEND")

    def show(self, *properties: str) -> dict[str, str]:
        """What systemd knows of the unit."""
        wanted = ",".join(properties)
        text = self.machine.must(f"systemctl show {UNIT} --property={wanted}")
        return dict(line.split("=", 1) for line in text.splitlines() if "=" in line)

    def pid(self) -> int:
        return int(self.show("MainPID")["MainPID"])

    def restarts(self) -> int:
        return int(self.show("NRestarts")["NRestarts"])

    def status(self) -> dict[str, Any]:
        """The page's figures, asked for from outside."""
        answer = self.machine.get("/api/v1/status", self.token)
        expect(answer.status == 200, f"/api/v1/status answered {answer.status}")
        status: dict[str, Any] = json.loads(answer.body)
        return status

    def is_well(self) -> bool:
        """Active, and frames flow."""
        active = self.show("ActiveState")["ActiveState"] == "active"
        return active and self.machine.get("/readyz", self.token).status == 200

    def wait_until_well(self, after: str) -> None:
        self.machine.until(
            self.is_well, f"active with frames flowing after {after}", within_s=PATIENCE_S
        )

    def restart(self, *, after: str) -> None:
        """Also out of the state in which systemd gave up."""
        self.machine.must(f"systemctl reset-failed {UNIT}; systemctl restart --no-block {UNIT}")
        self.machine.until(
            lambda: self.show("ActiveState", "SubState")["SubState"] == "running",
            f"running after {after}",
            within_s=PATIENCE_S,
        )
        self.wait_until_well(after)

    def seconds_between(self, earlier: str, later: str) -> float:
        """Between two of systemd's own marks, such as InactiveExit and ActiveEnter."""
        names = [f"{name}TimestampMonotonic" for name in (earlier, later)]
        shown = self.show(*names)
        first, second = (int(shown[name]) for name in names)
        expect(second >= first, f"{later} is not after {earlier}: {shown}")
        return (second - first) / 1e6

    def frames_go_on(self, after: str) -> int:
        """How many frames have been through since the start; Unmet when the number stands still."""
        before = int(self.status()["frame"]["number"])
        return self.machine.until(
            lambda: self._later_frame(before), f"a new frame after {after}", within_s=30
        )

    def _later_frame(self, number: int) -> int:
        now = int(self.status()["frame"]["number"])
        return now if now != number else 0

    def journal(self) -> str:
        return self.machine.must(f"journalctl --unit={UNIT} --output=cat --no-pager --boot")
