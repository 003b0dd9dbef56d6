"""One line of what the process of a trial writes; ``child.py`` lists them."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Any, Final

from edge_runtime.store.trial.verdict import Figures

_KEYS: Final = {
    "step": str,
    "gaps": list,
    "refused": str,
    "impossible": str,
    "missing": bool,
    "figures": dict,
}
"""With the type of each value."""
_FIGURES: Final = {field.name for field in fields(Figures)}


def read_report(line: bytes) -> dict[str, Any]:
    """What the child reported; empty for a line that something else wrote."""
    try:
        report = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    known = isinstance(report, dict) and all(
        type(value) is _KEYS.get(key) for key, value in report.items()
    )
    whole = known and set(report.get("figures", _FIGURES)) == _FIGURES
    return report if whole else {}
