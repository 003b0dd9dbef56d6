"""Where in a file the keys of an array of tables stand, and folders as a file means them."""

from __future__ import annotations

import re
from pathlib import Path


class Places:
    """Finds the line of a key of ``[[name]]`` by a plain search, as for other keys."""

    def __init__(self, name: str, path: Path, text: str) -> None:
        self.name, self._path = name, path
        self._headers: list[int] = []
        self._lines: dict[tuple[int, str], int] = {}
        inside = False
        for number, line in enumerate(text.splitlines(), 1):
            if header := re.match(r"\s*\[+\s*([^\]]+?)\s*\]", line):
                inside = header[1].strip("'\"") == name
                if inside:
                    self._headers.append(number)
            elif inside and (key := re.match(r"\s*['\"]?([^\s'\"=]+)['\"]?\s*=", line)):
                self._lines.setdefault((len(self._headers) - 1, key[1]), number)

    @property
    def first(self) -> str:
        return self.of(0, "")

    def of(self, number: int, key: str) -> str:
        """The line of a key, else of its table, else the file: ``camera = [{…}]`` has neither."""
        header = self._headers[number] if number < len(self._headers) else None
        line = self._lines.get((number, key), header)
        return str(self._path) if line is None else f"{self._path} line {line}"


def whole_folder(value: object, folder: Path, home: Path | None) -> object:
    """A path made whole: ``~`` is the home folder, a relative one counts from ``folder``."""
    if not isinstance(value, str | Path) or "\0" in str(value):
        return value
    if home is not None and Path(value).parts[:1] == ("~",):
        return home.joinpath(*Path(value).parts[1:])
    return folder / value
