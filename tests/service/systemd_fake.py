"""systemd as far as ``service`` speaks to it: what it knows, refuses, and says then.

Answers and exit codes were taken from systemd 252. Like the real one it starts what it has read and
not what lies in the folder, so a forgotten daemon-reload shows.
"""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path


class FakeSystemd:
    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "run/systemd/system").mkdir(parents=True)
        self.loaded: dict[str, str] = {}
        self.enabled: set[str] = set()
        self.running: dict[str, str] = {}
        """Unit to the ExecStart= it was started with."""
        self.users: list[str] = []
        self.asked: list[tuple[str, ...]] = []
        self.properties: dict[str, str] = {}

    def run(self, words: Sequence[str]) -> subprocess.CompletedProcess[str]:
        self.asked.append(tuple(words))
        if words[0] == "systemd-sysusers":
            return self._make_users(Path(words[1]))
        assert words[0] == "systemctl"
        rest = [word for word in words[1:] if word not in ("--no-pager", "--no-block", "--now")]
        answer = getattr(self, f"_{rest[0].replace('-', '_')}")(*rest[1:])
        assert isinstance(answer, subprocess.CompletedProcess)
        return answer

    def _make_users(self, file: Path) -> subprocess.CompletedProcess[str]:
        lines = (line.split() for line in file.read_text().splitlines())
        self.users += [line[1] for line in lines if line and line[0] == "u"]
        return said()

    def _daemon_reload(self) -> subprocess.CompletedProcess[str]:
        units = self.root / "etc/systemd/system"
        self.loaded = {path.name: path.read_text() for path in units.glob("*.service")}
        return said()

    def _enable(self, unit: str) -> subprocess.CompletedProcess[str]:
        if not (self.root / "etc/systemd/system" / unit).exists():
            return said(error=f"Failed to enable unit: Unit file {unit} does not exist.", code=1)
        self.enabled.add(unit)
        return said()

    def _disable(self, unit: str) -> subprocess.CompletedProcess[str]:
        self.enabled.discard(unit)
        self.running.pop(unit, None)
        return said()

    def _restart(self, unit: str) -> subprocess.CompletedProcess[str]:
        if unit not in self.loaded:
            return said(error=f"Failed to restart {unit}: Unit {unit} not found.", code=5)
        lines = self.loaded[unit].splitlines()
        self.running[unit] = next(x for x in lines if x.startswith("ExecStart=")).partition("=")[2]
        return said()

    def _show(self, unit: str, names: str) -> subprocess.CompletedProcess[str]:
        known = {
            "LoadState": "loaded" if unit in self.loaded else "not-found",
            "ActiveState": "active" if unit in self.running else "inactive",
            "UnitFileState": "enabled" if unit in self.enabled else "",
        } | self.properties
        wanted = names.removeprefix("--property=").split(",")
        return said("".join(f"{name}={known.get(name, '')}\n" for name in wanted))


def said(text: str = "", *, error: str = "", code: int = 0) -> subprocess.CompletedProcess[str]:
    return subprocess.CompletedProcess([], code, text, error)
