"""One setting changed in a person's config file; comments and everything else stay as they were."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from typing import Any

from edge_runtime.errors import ConfigError


def with_setting(text: str, key: str, value: str) -> str:
    """``text`` with the dotted ``key`` (one table deep) set to ``value``.

    Raises ConfigError when the text is no TOML, or written in a way that this cannot change without
    reading more than lines; then a person has to.
    """
    table, _, name = key.partition(".")
    wanted = _parsed(text)
    # A TOML basic string escapes as JSON does.
    line = f"{name} = {json.dumps(value, ensure_ascii=False)}"
    changed = _changed(text.splitlines(), table, name, line)
    if isinstance(wanted.setdefault(table, {}), dict):
        wanted[table][name] = value
        # Lines are all that is looked at, so what came out is held against what was meant.
        if _means(changed, wanted):
            return changed
    raise ConfigError(f"{key} cannot be set in this config by a program: write it there by hand")


def _means(text: str, wanted: Mapping[str, object]) -> bool:
    try:
        return _parsed(text) == wanted
    except ConfigError:
        return False


def _changed(lines: list[str], table: str, name: str, line: str) -> str:
    header = re.compile(rf"\s*\[\s*{re.escape(table)}\s*\]\s*(#.*)?")
    start = next((at for at, each in enumerate(lines) if header.fullmatch(each)), None)
    if start is None:
        gap = [""] if lines and lines[-1].strip() else []
        return "\n".join((*lines, *gap, f"[{table}]", line, ""))
    end = start + 1
    while end < len(lines) and not lines[end].lstrip().startswith("["):
        if re.match(rf"\s*{re.escape(name)}\s*=", lines[end]):
            return "\n".join((*lines[:end], line, *lines[end + 1 :], ""))
        end += 1
    return "\n".join((*lines[: start + 1], line, *lines[start + 1 :], ""))


def _parsed(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    # ValueError: also a number with too many digits; RecursionError: lists nested hundreds deep.
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"the config is no TOML: {error}") from error
