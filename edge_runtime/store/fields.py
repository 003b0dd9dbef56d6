"""A JSON object read field by field, so that each mistake becomes one sentence.

The sentence names the file, the key, the value found, what was expected and the nearest valid key.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NoReturn

from edge_runtime.errors import ManifestInvalid

LONGEST_SHOWN: Final = 60


class Fields:
    """The keys of one JSON object. Each is taken once; ``finish`` refuses what is left."""

    def __init__(self, values: Mapping[str, Any], file: Path, prefix: str = "") -> None:
        self._values = dict(values)
        self._file = file
        self._prefix = prefix
        self._known: list[str] = []

    @classmethod
    def read(cls, file: Path) -> Fields:
        """The object in a JSON file. Raises ManifestInvalid when there is none."""
        try:
            values = json.loads(file.read_bytes())
        except FileNotFoundError:
            raise ManifestInvalid(f"{file} is missing: each model needs its manifest") from None
        except OSError as error:
            raise ManifestInvalid(f"{file} cannot be read: {error.strerror}") from None
        except (ValueError, RecursionError) as error:
            raise ManifestInvalid(f"{file} is no JSON: {error}") from None
        if not isinstance(values, dict):
            raise ManifestInvalid(f"{file} holds {_shown(values)}, expected a JSON object")
        return cls(values, file)

    def __contains__(self, key: str) -> bool:
        return key in self._values

    def text(self, key: str, pattern: str, expected: str, default: str | None = None) -> str:
        """A string that matches ``pattern`` as a whole."""
        value = self._take(key, expected, default)
        if not isinstance(value, str) or not re.fullmatch(pattern, value):
            self.refuse(key, value, expected)
        return value

    def choice(self, key: str, choices: Sequence[str], default: str | None = None) -> str:
        """One of ``choices``."""
        expected = f"one of {', '.join(choices)}"
        value = self._take(key, expected, default)
        if value not in choices:
            near = difflib.get_close_matches(str(value), choices, 1)
            self.refuse(key, value, expected + (f" (did you mean {near[0]}?)" if near else ""))
        return str(value)

    def number(self, key: str, low: float, high: float, default: float | None = None) -> float:
        """A number from ``low`` to ``high``."""
        expected = f"a number from {low:g} to {high:g}"
        value = self._take(key, expected, default)
        if (
            isinstance(value, bool)
            or not isinstance(value, int | float)
            or not low <= value <= high
        ):
            self.refuse(key, value, expected)
        return float(value)

    def optional_number(self, key: str, low: float, high: float) -> float | None:
        """A number from ``low`` to ``high``; None where the key is absent."""
        if key in self._values:
            return self.number(key, low, high)
        self._known.append(key)
        return None

    def whole(self, key: str, low: int, high: int) -> int:
        """A whole number from ``low`` to ``high``."""
        expected = f"a whole number from {low} to {high}"
        value = self._take(key, expected)
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            self.refuse(key, value, expected)
        return value

    def flag(self, key: str, default: bool) -> bool:
        """True or false."""
        value = self._take(key, "true or false", default)
        if not isinstance(value, bool):
            self.refuse(key, value, "true or false")
        return value

    def items(
        self, key: str, kind: type, expected: str, *, repeats: bool = False
    ) -> tuple[Any, ...]:
        """A list of at least one, all of ``kind`` and, without ``repeats``, all different."""
        value = self._take(key, expected)
        right = isinstance(value, list) and all(type(item) is kind for item in value)
        if not right or not value or (not repeats and len(set(value)) != len(value)):
            self.refuse(key, value, expected)
        return tuple(value)

    def section(self, key: str, *, optional: bool = False) -> Fields:
        """The object under ``key``; an empty one when it is optional and absent."""
        value = self._take(key, "an object", {} if optional else None)
        if not isinstance(value, dict):
            self.refuse(key, value, "an object")
        return Fields(value, self._file, f"{self._prefix}{key}.")

    def part(self, key: str, place: int, values: Mapping[str, Any]) -> Fields:
        """An object in the list under ``key``, counted from 0."""
        return Fields(values, self._file, f"{self._prefix}{key}[{place}].")

    def names(self) -> tuple[str, ...]:
        """The keys that were not taken yet, in the file's order."""
        return tuple(self._values)

    def finish(self) -> None:
        """Raise ManifestInvalid when a key was not taken."""
        for key, value in self._values.items():
            near = difflib.get_close_matches(key, self._known, 1)
            hint = f"did you mean {self._prefix}{near[0]}?" if near else self._valid_keys()
            raise ManifestInvalid(
                f"{self._file}: key {self._prefix}{key} (value {_shown(value)}) is unknown; {hint}"
            )

    def refuse(self, key: str, value: object, expected: str) -> NoReturn:
        """Raise ManifestInvalid for the value of ``key``."""
        raise ManifestInvalid(
            f"{self._file}: {self._prefix}{key} is {_shown(value)}, expected {expected}"
        )

    def _take(self, key: str, expected: str, default: object = None) -> Any:
        self._known.append(key)
        if key in self._values:
            return self._values.pop(key)
        if default is not None:
            return default
        near = difflib.get_close_matches(key, self._values, 1)
        hint = f"; is {self._prefix}{near[0]} meant to be it?" if near else ""
        raise ManifestInvalid(
            f"{self._file}: key {self._prefix}{key} is missing, expected {expected}{hint}"
        )

    def _valid_keys(self) -> str:
        return f"valid keys are {', '.join(self._prefix + key for key in self._known)}"


def _shown(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONGEST_SHOWN else text[: LONGEST_SHOWN - 1] + "…"
