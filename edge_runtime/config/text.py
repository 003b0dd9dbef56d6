"""A ``Config`` as TOML text, with the origin of each value beside it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from edge_runtime.config.config import CAMERA, KEYS, Config
from edge_runtime.masking import masked_uri


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
    for number, camera in enumerate(config.camera):
        lines += ["", f"[[{CAMERA}]]"]
        for name, value in camera:
            lines.append(_line(name, value, mask) + _note(f"{CAMERA}.{number}.{name}", origins))
    return "\n".join(lines) + "\n"


def _note(key: str, origins: Mapping[str, str] | None) -> str:
    return f"  # {_one_line(origins[key])}" if origins else ""


def _line(name: str, value: object, mask: bool) -> str:
    if value is None:
        return f"# {name} is not set"
    if mask and isinstance(value, str):
        value = masked_uri(value)
    return f"{name} = {_written(value)}"


def _written(value: object) -> str:
    if isinstance(value, tuple):
        return "[" + ", ".join(_written(item) for item in value) + "]"
    if isinstance(value, str | Path):
        # JSON's escapes are TOML's too, but for DEL, which JSON leaves as it is.
        return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")
    return json.dumps(value)


def _one_line(text: str) -> str:
    return " ".join(text.splitlines())
