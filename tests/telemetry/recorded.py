"""Machines on paper: what /proc, /sys and vcgencmd say on a board, one text file per moment.

Names, formats and units are those of the kernel and the firmware; the figures are plausible ones,
as no board was at hand. A header names what follows it::

    == proc/device-tree/model           a file; \\0 and \\xNN stand for bytes
    == sys/class/hwmon/hwmon2/device -> a/link/target
    == $ vcgencmd get_throttled         what a command answers

Git keeps neither links nor colons on every system, and a board is easier to read in one piece.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

TREES = Path(__file__).parent / "trees"
BOARDS = ("pi3b-plus", "pi4b", "pi5", "zero2w", "x86-laptop")


class RecordedMachine:
    """A recorded board unpacked under ``root``; commands not recorded are not installed."""

    def __init__(self, root: Path, board: str) -> None:
        self.root = root
        self.board = board
        self.asked: list[str] = []
        self._answers: dict[str, str] = {}
        self.play("tree")

    def play(self, moment: str) -> None:
        """Unpack ``moment`` over what is there: ``later`` is a second after ``tree``."""
        text = (TREES / self.board / f"{moment}.txt").read_text(encoding="utf-8")
        for section in re.split(r"^== ", text, flags=re.MULTILINE)[1:]:
            header, _, body = section.partition("\n")
            self._unpack(header.strip(), body.rstrip("\n"))

    def write(self, path: str, text: str) -> None:
        """A file of our own."""
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(_bytes(text))

    def link(self, path: str, target: str) -> None:
        link = self.root / path
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(target)

    def remove(self, path: str) -> None:
        (self.root / path).unlink()

    def answer(self, command: str, text: str) -> None:
        self._answers[command] = text

    def uninstall(self, program: str) -> None:
        self._answers = {c: a for c, a in self._answers.items() if c.split()[0] != program}

    def run(self, argv: Sequence[str]) -> str | None:
        """Stands in for ``run_command``."""
        command = " ".join(argv)
        self.asked.append(command)
        return self._answers.get(command)

    def _unpack(self, header: str, body: str) -> None:
        if header.startswith("$ "):
            self.answer(header[2:], body)
        elif " -> " in header:
            self.link(*header.split(" -> "))
        else:
            # Device-tree cells and strings end where they end; everything else ends its line.
            in_bytes = re.search(r"\\(0|x[0-9a-f]{2})$", body)
            self.write(header, body if in_bytes else f"{body}\n")


def _bytes(text: str) -> bytes:
    """Text with its ``\\0`` and ``\\xNN`` turned into bytes."""
    parts = re.split(r"\\(0|x[0-9a-f]{2})", text)
    plain = [part.encode() for part in parts[::2]]
    odd = [bytes([0 if mark == "0" else int(mark[1:], 16)]) for mark in parts[1::2]]
    return b"".join(p + o for p, o in zip(plain, [*odd, b""], strict=True))
