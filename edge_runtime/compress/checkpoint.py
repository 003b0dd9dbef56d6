"""What a recipe's stages leave behind, so that a killed run goes on where it was.

Every stage has a folder named after its number, its kind and a hash of everything before it: a
changed recipe goes on behind the last stage that is still the same. Files appear whole or not at
all. Nets are stored as pickles: open only folders you made yourself.
"""

from __future__ import annotations

import errno
import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn

from edge_runtime.errors import OutputUnwritable
from edge_runtime.types import JsonObject

LEAST_FREE_BYTES = 64 << 20
"""A stage does not begin with less room than this."""


@dataclass
class Work:
    """What goes from stage to stage: a net, then a file, then its container."""

    net: nn.Module | None = None
    model: bytes | None = None
    """The .tflite."""
    container: bytes | None = None
    """The .tflite.edge."""
    takes_bytes: bool = False
    """True when the file's real input is a byte, 0 to 255, instead of what the net takes."""
    weight_bits: int = 32
    """Of the file's weights."""
    findings: JsonObject = field(default_factory=dict)
    """What the stage measured on its way, for the report; not handed on."""


class StageFolder:
    """One stage's place; also the keeper of its training."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def is_done(self) -> bool:
        return (self.folder / "done.json").is_file()

    def finish(self, work: Work, figures: JsonObject) -> None:
        """Keep the result; what the training kept is no longer needed."""
        parts = {
            "net.pt": work.net,
            "model.tflite": work.model,
            "model.tflite.edge": work.container,
        }
        for name, part in parts.items():
            if part is not None:
                self._write(name, part)
        done = {
            "takes_bytes": work.takes_bytes,
            "weight_bits": work.weight_bits,
            "figures": figures,
        }
        self._write("done.json", json.dumps(done, indent=2).encode())
        (self.folder / "training.pt").unlink(missing_ok=True)

    def result(self) -> tuple[Work, JsonObject]:
        """What ``finish`` kept."""
        done = json.loads((self.folder / "done.json").read_text("utf-8"))
        net = self.folder / "net.pt"
        work = Work(
            torch.load(net, weights_only=False) if net.is_file() else None,
            self._bytes("model.tflite"),
            self._bytes("model.tflite.edge"),
            done["takes_bytes"],
            done["weight_bits"],
        )
        return work, done["figures"]

    def load(self) -> dict[str, Any] | None:
        """The training's state, None at its beginning."""
        kept = self.folder / "training.pt"
        return torch.load(kept, weights_only=True) if kept.is_file() else None

    def save(self, state: dict[str, Any]) -> None:
        """Keep the training's state."""
        self._write("training.pt", state)

    def check_room(self) -> None:
        """Raise OutputUnwritable now rather than after an hour of training."""
        with as_unwritable(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            free = shutil.disk_usage(self.folder).free
        if free < LEAST_FREE_BYTES:
            raise OutputUnwritable(
                f"only {free >> 20} MiB are free for {self.folder}, at least "
                f"{LEAST_FREE_BYTES >> 20} MiB are needed; make room and start again"
            )

    def _bytes(self, name: str) -> bytes | None:
        file = self.folder / name
        return file.read_bytes() if file.is_file() else None

    def _write(self, name: str, content: Any) -> None:
        fresh = self.folder / f".{name}.new"
        with as_unwritable(fresh):
            if isinstance(content, bytes):
                fresh.write_bytes(content)
            else:
                torch.save(content, fresh)
            fresh.replace(self.folder / name)


class as_unwritable:
    """Turns an OSError of writing into our own, with what to do."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        return None

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
        # Torch reports a full disk in its own way.
        if full or "PytorchStreamWriter" in str(error):
            raise OutputUnwritable(
                f"no space left for {self._path}; earlier stages are kept: make room, start again"
            ) from error
        if isinstance(error, OSError):
            raise OutputUnwritable(f"{self._path} cannot be written: {error}") from error
