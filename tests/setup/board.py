"""A board that is set up, without being one: a root of its own, and a memory of what was run."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

from edge_runtime.setup.setup import Outcome, set_up
from edge_runtime.setup.system import System

PASSWD = """\
root:x:0:0:root:/root:/bin/bash
edge-runtime:x:990:990::/var/lib/edge-runtime:/usr/sbin/nologin
pi:x:1000:1000:,,,:/home/pi:/bin/bash
nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
"""


class Board:
    """Programs succeed unless ``refusing`` names them."""

    def __init__(self, folder: Path) -> None:
        self.root, self.card = folder / "root", folder / "card"
        self.card.mkdir()
        self.ran: list[tuple[str, ...]] = []
        self.refusing: dict[str, str] = {}
        self.owners: dict[str, tuple[int, int]] = {}
        self.put("etc/passwd", PASSWD)
        self.put("etc/hosts", "127.0.0.1\tlocalhost\n127.0.1.1\traspberrypi\n")
        self.put("etc/hostname", "raspberrypi\n")
        self.put("etc/edge-runtime/config.toml", "# Settings.\n#[web]\n#port = 8000\n")
        self.put("usr/sbin/NetworkManager", "")
        (self.root / "home/pi").mkdir(parents=True)
        self.system = System(card=self.card, root=self.root, run=self._run, chown=self._chown)

    @property
    def conf(self) -> Path:
        return self.card / "edge.conf"

    def put(self, path: str, text: str) -> Path:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    def text(self, path: str) -> str:
        return (self.root / path).read_text()

    def start(self, conf: str | bytes | None = None) -> tuple[Outcome, ...]:
        """Write ``edge.conf``, unless it lies there, and do what the first start does."""
        if conf is not None:
            self.conf.write_bytes(conf.encode() if isinstance(conf, str) else conf)
        return set_up(self.conf, self.system)

    def left(self) -> list[str]:
        """The lines of edge.conf afterwards."""
        return self.conf.read_text().splitlines()

    def _run(self, words: Sequence[str]) -> subprocess.CompletedProcess[str]:
        self.ran.append(tuple(words))
        said = self.refusing.get(words[0])
        return subprocess.CompletedProcess(words, 0 if said is None else 1, "", said or "")

    def _chown(self, path: Path, uid: int, gid: int) -> None:
        path.stat()
        self.owners[path.name.removeprefix(".").removesuffix(".part")] = (uid, gid)


def problems(outcomes: Sequence[Outcome]) -> list[str]:
    return [each.problem for each in outcomes if each.problem is not None]
