"""Reads a package's bytes from front to back, never past the end."""

from __future__ import annotations

from typing import Final

_LONGEST_NUMBER: Final = 5
"""Bytes: seven bits each, enough for sizes up to 32 GiB."""


class PackageDamaged(ValueError):
    """A package says something that cannot be; the text says what and where."""


class PackageTooLarge(PackageDamaged):
    """A package stands for more than it may, however whole it is."""


class Cursor:
    """A place in some bytes that moves on with every read."""

    __slots__ = ("_at", "_data", "_what")

    def __init__(self, data: memoryview, what: str) -> None:
        self._data, self._what, self._at = data, what, 0

    @property
    def left(self) -> int:
        """Bytes not read yet."""
        return len(self._data) - self._at

    def take(self, count: int, meaning: str) -> memoryview:
        """The next ``count`` bytes, without copying."""
        if count > self.left:
            raise PackageDamaged(
                f"{self._what} has {self.left} bytes left at byte {self._at}, "
                f"but {meaning} takes {count}"
            )
        self._at += count
        return self._data[self._at - count : self._at]

    def byte(self, meaning: str) -> int:
        return self.take(1, meaning)[0]

    def number(self, meaning: str, most: int) -> int:
        """A whole number, seven bits a byte, the lowest first (LEB128), at most ``most``."""
        value = 0
        for place in range(_LONGEST_NUMBER):
            byte = self.byte(meaning)
            value |= (byte & 0x7F) << (7 * place)
            if byte < 0x80:
                break
        else:
            raise PackageDamaged(f"{meaning} at byte {self._at} of {self._what} does not end")
        if value > most:
            raise PackageDamaged(f"{meaning} of {self._what} is {value}, expected at most {most}")
        return value

    def rest(self) -> memoryview:
        """All that is left."""
        return self.take(self.left, "the rest")

    def finish(self) -> None:
        """Raise PackageDamaged unless everything has been read."""
        if self.left:
            raise PackageDamaged(f"{self._what} goes on for {self.left} bytes behind its end")
