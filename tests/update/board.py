"""A board as far as an update meets it: dpkg, apt and systemd over a disk whose power can be cut.

What dpkg and systemd answer was taken from those of bookworm (1.21, 252). As the real dpkg, this
one says in its database what it has begun, unpacks file by file, and syncs before it says that it
is done; so a cut leaves half of a version, which only installing a whole one mends.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from edge_runtime.service.systemctl import Systemctl
from edge_runtime.store.shelf.disk import ensure_folder, replace_file
from edge_runtime.update.dpkg import Dpkg
from edge_runtime.update.health import Health
from edge_runtime.update.keep import FOLDER, RESCUE, Keep
from edge_runtime.update.update import Machine, Update
from tests.service.systemd_fake import said
from tests.store.power_cut import Left, MemoryDisk

TREE: Final = Path("/usr/lib/edge-runtime")
DATABASE: Final = Path("/var/lib/dpkg/edge-runtime.status")
FILES: Final = ("engine.py", "web.py")
"""Of the installed program: it runs when both are of one version."""


def package(
    version: str,
    *,
    runs: str = "ready",
    name: str = "edge-runtime",
    architecture: str = "arm64",
    installs: bool = True,
) -> bytes:
    """A package file. ``runs``: how the program does when started."""
    fields = {
        "Package": name,
        "Version": version,
        "Architecture": architecture,
        "Installed-Size": "100",
        "runs": runs,
        "installs": installs,
    }
    return json.dumps(fields).encode()


@dataclass
class Service:
    """What systemd holds in memory; gone with the power."""

    version: str = ""
    runs: str = ""
    """``ready``, ``waits``, ``crashes`` (again and again), ``ends`` (for good), ``late``; or
    nothing: stopped."""
    starts: int = 0
    restarts: int = 0
    since: float = 0.0


@dataclass
class Board:
    root: Path
    """Where ``/run/systemd/system`` lies."""
    disk: MemoryDisk = field(default_factory=MemoryDisk)
    service: Service = field(default_factory=Service)
    now: float = 0.0
    free: int = 1 << 40
    locked_for: float = 0.0
    """How many seconds longer another program holds dpkg's lock."""
    told: list[str] = field(default_factory=list)
    asked: list[tuple[str, ...]] = field(default_factory=list)
    page_of: dict[str, str] = field(default_factory=dict)
    """Version to why its page says that frames do not flow."""

    def update(self) -> Update:
        (self.root / "run/systemd/system").mkdir(parents=True, exist_ok=True)
        systemctl = Systemctl(root=self.root, run=self.run)
        machine = Machine(
            dpkg=Dpkg(self.run, self.wait),
            health=Health(
                systemctl,
                lambda: self.page_of.get(self.service.version),
                lambda: self.now,
                self.wait,
            ),
            repack=self.repack,
            free_bytes=lambda: self.free,
            rescue=lambda: b"the program",
            shield=lambda: None,
            tell=self.told.append,
        )
        return Update(Keep(self.disk), machine)

    def put(self, content: bytes) -> None:
        """Install by other means, and start."""
        for folder in (TREE, DATABASE.parent):
            ensure_folder(self.disk, folder)
        assert self._install(content).returncode == 0
        self._start()

    def boot(self, left: Left) -> Board:
        """The power is back: what the disk held, the rescue if it is there, then the service."""
        board = Board(self.root, self.disk.after_power_cut(left))
        board.finish_boot()
        return board

    def finish_boot(self) -> None:
        if self.is_cut_short:
            self.update().resume()
        self._start()

    @property
    def is_cut_short(self) -> bool:
        """As ``ConditionPathExists=`` of edge-runtime-update.service asks."""
        return RESCUE in self.disk.names(FOLDER)

    def wait(self, seconds: float) -> None:
        self.now += seconds
        self.locked_for -= seconds
        if self.service.runs == "crashes":
            self.service.restarts += 1

    def repack(self, out: Path) -> None:
        self.disk.write(out, self._file(FILES[0]))

    @property
    def installed(self) -> str | None:
        """The version that would run now; None when it is half of one."""
        contents = {self._file(name) for name in FILES}
        status, version = self._status()
        whole = len(contents) == 1 and status == "ii"
        found = json.loads(contents.pop())["Version"] if whole else None
        assert found in (None, version)
        return found

    def run(self, words: Sequence[str]) -> subprocess.CompletedProcess[str]:
        self.asked.append(tuple(words))
        rest = list(words)
        while rest[0] == "env" or "=" in rest[0]:
            rest.pop(0)
        program, *rest = rest
        answer = getattr(self, f"_{program.replace('-', '_')}")(rest)
        assert isinstance(answer, subprocess.CompletedProcess)
        return answer

    def _dpkg_deb(self, words: list[str]) -> subprocess.CompletedProcess[str]:
        try:
            fields = json.loads(self.disk.read(Path(words[1])))
        except ValueError:
            return said(error="dpkg-deb: error: not a Debian format archive\n", code=2)
        if words[0] == "--contents":
            return said("drwxr-xr-x root/root 0 ./\n")
        assert words[0] == "--field"
        return said("".join(f"{name}: {fields[name]}\n" for name in words[2:]))

    def _dpkg_query(self, words: list[str]) -> subprocess.CompletedProcess[str]:
        status, version = self._status()
        if not status:
            return said(error="dpkg-query: no packages found matching edge-runtime\n", code=1)
        return said(f"{status}  {version}" if "Version" in words[1] else f"{status} ")

    def _dpkg(self, words: list[str]) -> subprocess.CompletedProcess[str]:
        if words[0] == "--print-architecture":
            return said("arm64\n")
        if words[0] == "--compare-versions":
            return said(code=0 if _numbers(words[1]) < _numbers(words[3]) else 1)
        if words[0] == "--verify":
            torn = self.installed is None
            return said("??5??????   /usr/lib/edge-runtime/web.py\n" if torn else "")
        if "--configure" in words:
            return said()
        assert words[-2] == "--install"
        if self.locked_for > 0:
            return said(error="dpkg: error: dpkg frontend lock was locked by pid 7\n", code=2)
        return self._install(self.disk.read(Path(words[-1])))

    def _apt_get(self, words: list[str]) -> subprocess.CompletedProcess[str]:
        content = self.disk.read(Path(words[-1]))
        if "--simulate" in words:
            unmet = json.loads(content)["runs"] == "unmet"
            return said(error="E: Unmet dependencies: libfuture\n", code=100) if unmet else said()
        assert words[-2] == "install"
        return self._install(content)

    def _install(self, content: bytes) -> subprocess.CompletedProcess[str]:
        fields = json.loads(content)
        try:
            self._note("iHR", fields["Version"])
            for name in FILES:
                replace_file(self.disk, TREE / name, content)
            if not fields["installs"]:
                self._note("iF", fields["Version"])
                return said(error="postinst of edge-runtime: exit status 1\n", code=1)
            self._note("ii", fields["Version"])
        except OSError as error:
            return said(error=f"dpkg: error: {error.strerror}\n", code=2)
        if self.service.runs:
            self._start()  # as postinst does
        return said()

    def _systemctl(self, words: list[str]) -> subprocess.CompletedProcess[str]:
        command, *rest = [word for word in words if word not in ("--no-pager", "--no-block")]
        if command == "show":
            return said("".join(f"{key}={value}\n" for key, value in self._shown().items()))
        if command == "reset-failed":
            self.service.restarts = 0
        else:
            assert (command, rest) == ("restart", ["edge-runtime.service"])
            self._start()
        return said()

    def _start(self) -> None:
        content = self._file(FILES[0])
        whole = self.installed is not None
        fields = json.loads(content) if whole else {"Version": "half", "runs": "ends"}
        starts = self.service.starts + 1
        self.service = Service(fields["Version"], fields["runs"], starts, 0, self.now)

    def _shown(self) -> dict[str, str]:
        service = self.service
        runs = service.runs
        if runs == "late":
            runs = "ready" if self.now - service.since > 60 else "waits"
        state, sub, result = {
            "": ("inactive", "dead", "success"),
            "ready": ("active", "running", "success"),
            "waits": ("activating", "start", "success"),
            "crashes": ("activating", "auto-restart", "exit-code"),
            "ends": ("failed", "failed", "exit-code"),
        }[runs]
        return {
            "LoadState": "loaded",
            "ActiveState": state,
            "SubState": sub,
            "Result": result,
            "ExecMainStatus": "1" if result == "exit-code" else "0",
            "NRestarts": str(service.restarts),
            "InvocationID": f"{service.starts:032x}",
        }

    def _note(self, status: str, version: str) -> None:
        replace_file(self.disk, DATABASE, json.dumps([status, version]).encode())

    def _status(self) -> tuple[str, str]:
        if DATABASE.name not in self.disk.names(DATABASE.parent):
            return "", ""
        status, version = json.loads(self.disk.read(DATABASE))
        return status, version

    def _file(self, name: str) -> bytes:
        return self.disk.read(TREE / name) if name in self.disk.names(TREE) else b"null"


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))
