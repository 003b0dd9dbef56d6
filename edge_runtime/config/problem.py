"""Something that is wrong in the settings: where, what, and what was probably meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass

from edge_runtime.masking import masked_uri


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, in one sentence."""

    where: str
    """``config.toml line 3``, ``environment EDGE_RUNTIME_WEB__PORT``, ``command line``."""
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


def nearest(word: str, known: Iterable[str]) -> str:
    """What was probably meant; without a likely one, all keys of the same table."""
    names = list(known)
    close = difflib.get_close_matches(word, names, n=1, cutoff=0.6)
    if close:
        return f"; did you mean {close[0]}?"
    table = word.partition(".")[0] + "."
    return "; known: " + ", ".join([name for name in names if name.startswith(table)] or names)


def shown(value: object) -> str:
    """A value as it is repeated to people: short, and without passwords."""
    if isinstance(value, str):
        value = masked_uri(value)
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."
