"""A ``Config`` as TOML text, with the origin of each value beside it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from edge_runtime.config.config import CAMERA, KEYS, RULE, Config
from edge_runtime.config.table import Table
from edge_runtime.masking import masked_uri, masked_webhook


def to_toml(config: Config, origins: Mapping[str, str] | None = None, *, mask: bool = False) -> str:
    """TOML that reads back as ``config``; what is unset is a comment.

    With ``origins`` (dotted key to words) each line says where its value came from. With ``mask``
    passwords are hidden, and such a line no longer reads back the same.
    """
    lines: list[str] = []
    table = ""
    for key in KEYS:
        here, _, name = key.rpartition(".")
        if here != table:
            lines += ["", f"[{here}]"]
            table = here
        if key == "source.uri" and config.camera:
            lines.append("# uri is not set: see the cameras below")
            continue
        lines.append(_line(name, config.value(key), mask) + _note(key, origins))
    tables: dict[str, tuple[Table, ...]] = {CAMERA: config.camera, RULE: config.rule}
    for kind, listed in tables.items():
        for number, each in enumerate(listed):
            lines += ["", f"[[{kind}]]"]
            for name, value in each:
                lines.append(_line(name, value, mask) + _note(f"{kind}.{number}.{name}", origins))
    return "\n".join(lines) + "\n"


def _note(key: str, origins: Mapping[str, str] | None) -> str:
    return f"  # {_one_line(origins[key])}" if origins else ""


def _line(name: str, value: object, mask: bool) -> str:
    if value is None:
        return f"# {name} is not set"
    return f"{name} = {_written(value, mask)}"


def _written(value: object, mask: bool) -> str:
    if isinstance(value, Table):
        pairs = ((name, item) for name, item in value if item is not None)
        return "{ " + ", ".join(_pair(name, item, mask) for name, item in pairs) + " }"
    if mask and isinstance(value, str):
        value = masked_uri(value)
    if isinstance(value, tuple):
        return "[" + ", ".join(_written(item, mask) for item in value) + "]"
    if isinstance(value, str | Path):
        # JSON's escapes are TOML's too, but for DEL, which JSON leaves as it is.
        return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")
    return json.dumps(value)


def _pair(name: str, value: object, mask: bool) -> str:
    """Whoever knows the address of a webhook may use it: its path is a password."""
    if mask and name == "webhook":
        value = masked_webhook(str(value))
    return f"{name} = {_written(value, mask)}"


def _one_line(text: str) -> str:
    return " ".join(text.splitlines())
