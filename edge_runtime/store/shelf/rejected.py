"""``rejected/``: files that were refused, each beside a text that says why."""

from __future__ import annotations

from itertools import chain, count
from pathlib import Path
from typing import Final

from edge_runtime.store.shelf.disk import Disk, Size, discard, ensure_folder

REASON: Final = ".reason.txt"
MOST_FILES: Final = 50
MOST_BYTES: Final = 256 << 20
_LONGEST_NAME: Final = 200
"""Bytes: with what is added a name stays below the 255 that file systems allow."""


class Rejected:
    """Bounded: the oldest go first. Whoever writes holds the shelf."""

    def __init__(
        self,
        folder: Path,
        disk: Disk,
        *,
        most_files: int = MOST_FILES,
        most_bytes: int = MOST_BYTES,
    ) -> None:
        self._folder, self._disk = folder, disk
        self._most_files, self._most_bytes = most_files, most_bytes

    def take(self, dropped: Path, reason: str) -> Path:
        """Move a file or folder here; returns the text beside it. Raises OSError.

        What is larger than all that is kept is removed, and the text says so.
        """
        ensure_folder(self._disk, self._folder)
        there = dropped.name in self._disk.names(dropped.parent)
        size = self._disk.size(dropped).bytes if there else 0
        kept = there and size <= self._most_bytes
        self._make_room(size if kept else 0)
        place = self._folder / self._free_name(dropped.name)
        text = place.with_name(place.name + REASON)
        # First the text: after a power cut in between the file is refused once more.
        self._disk.write(text, _told(reason, size, kept=kept).encode())
        self._disk.sync(text)
        if kept:
            self._disk.move(dropped, place)
        elif there:
            self._disk.remove(dropped)
        for folder in (self._folder, dropped.parent):
            self._disk.sync(folder)
        return text

    def _make_room(self, needed: int) -> None:
        """So that one more of ``needed`` bytes fits."""
        sizes = {text: self._size(text) for text in self._texts()}
        oldest_first = sorted(sizes, key=lambda text: (sizes[text].changed_at, text.name))
        left, total = len(sizes), sum(size.bytes for size in sizes.values())
        for text in oldest_first:
            if left < self._most_files and total + needed <= self._most_bytes:
                return
            discard(self._disk, text.with_name(text.name.removesuffix(REASON)))
            discard(self._disk, text)
            left, total = left - 1, total - sizes[text].bytes

    def _texts(self) -> list[Path]:
        names = self._disk.names(self._folder)
        return [self._folder / name for name in names if name.endswith(REASON)]

    def _size(self, text: Path) -> Size:
        """Of the refused file and its text; the age is the text's."""
        file, own = text.with_name(text.name.removesuffix(REASON)), self._disk.size(text)
        if file.name not in self._disk.names(self._folder):
            return own
        return Size(own.bytes + self._disk.size(file).bytes, own.changed_at)

    def _free_name(self, name: str) -> str:
        """``name``, or with a number where a file of that name was refused before."""
        short = name.encode()[:_LONGEST_NAME].decode(errors="ignore")
        taken = set(self._disk.names(self._folder))
        numbered = (f"{short}-{number}" for number in count(2))
        return next(each for each in chain((short,), numbered) if each not in taken)


def _told(reason: str, size: int, *, kept: bool) -> str:
    if kept:
        return f"{reason}\n"
    why = f"its {size} bytes are too many" if size else "it was gone by then"
    return f"{reason}\n(The file itself is not kept: {why}.)\n"
