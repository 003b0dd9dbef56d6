"""Small text files of /proc and /sys, read so that whatever is absent or odd is None."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

log = logging.getLogger(__name__)


class KernelFiles:
    """Files under ``root``, which is ``/`` outside tests. Paths are relative: ``proc/stat``.

    A missing or forbidden file is None without a word: most boards lack most files. Contents that
    cannot be understood are None too, and one warning per file.
    """

    def __init__(self, root: Path = Path("/")) -> None:
        self.root = root
        self._complained: set[str] = set()

    def text(self, path: str) -> str | None:
        """The file's text without surrounding blanks and the NUL that ends device-tree strings."""
        try:
            raw = (self.root / path).read_bytes()
        except OSError as error:
            log.debug("%s: %s", path, error)
            return None
        return raw.decode("utf-8", "replace").strip("\0 \n\t")

    def integer(self, path: str, radix: int = 10) -> int | None:
        """The file's one number."""
        text = self.text(path)
        if text is None:
            return None
        try:
            return int(text, radix)
        except ValueError:
            self.odd(path, text)
            return None

    def big_endian(self, path: str) -> int | None:
        """A device-tree cell: a 32-bit number, most significant byte first."""
        try:
            raw = (self.root / path).read_bytes()
        except OSError as error:
            log.debug("%s: %s", path, error)
            return None
        if len(raw) != 4:
            self.odd(path, repr(raw))
            return None
        return int.from_bytes(raw, "big")

    def folders(self, path: str) -> list[str]:
        """Everything directly in ``path``, in natural order, as paths for the other methods."""
        try:
            names = [entry.name for entry in (self.root / path).iterdir()]
        except OSError as error:
            log.debug("%s: %s", path, error)
            return []
        return [f"{path}/{name}" for name in sorted(names, key=_natural)]

    def table(self, path: str) -> dict[str, int]:
        """Lines of ``Name:  123 kB`` as name to number: meminfo, status."""
        return dict(_numbers(self.text(path) or ""))

    def odd(self, path: str, found: str) -> None:
        """Say once that ``path`` holds what nobody expects there."""
        if path not in self._complained:
            self._complained.add(path)
            log.warning("cannot make sense of %s, which holds %.60r", self.root / path, found)


def _natural(name: str) -> tuple[str, int]:
    """Sort key that puts hwmon10 after hwmon9."""
    stem = name.rstrip("0123456789")
    digits = name[len(stem) :]
    return stem, int(digits) if digits else -1


def _numbers(text: str) -> Iterator[tuple[str, int]]:
    for line in text.splitlines():
        name, colon, value = line.partition(":")
        words = value.split()
        if colon and words and words[0].isdecimal():
            yield name, int(words[0])
