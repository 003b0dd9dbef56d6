"""``active.json``: for each role which models were put in, the active one last."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from edge_runtime.store.shelf.activation import Activation
from edge_runtime.store.shelf.disk import Disk, replace_file

logger = logging.getLogger(__name__)

MOST_KEPT: Final = 8
"""How far a role can be rolled back."""

Choices = Mapping[str, tuple[Activation, ...]]
"""Role to its activations, the active one last and the one before it next to last."""


def read_choices(disk: Disk, file: Path) -> Choices:
    """What is chosen; nothing when the file is missing, or damaged, which is logged."""
    try:
        roles = json.loads(disk.read(file))
        return {
            str(role): tuple(Activation.from_fields(each) for each in stack)
            for role, stack in roles.items()
        }
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError, TypeError, KeyError, AttributeError) as error:
        logger.error("%s cannot be read (%s): the models that the settings name run", file, error)
        return {}


def write_choices(disk: Disk, file: Path, choices: Choices) -> None:
    """At once or not at all. Raises OSError."""
    stacks = {
        role: [json.loads(each.to_json()) for each in stack[-MOST_KEPT:]]
        for role, stack in sorted(choices.items())
        if stack
    }
    replace_file(disk, file, json.dumps(stacks, indent=1, ensure_ascii=False).encode() + b"\n")
