"""Models for the tests of the shelf: what is in them does not matter there."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

from edge_runtime.store.manifest import Manifest, read_manifest
from edge_runtime.store.shelf.disk import Disk
from edge_runtime.store.shelf.shelf import Shelf
from edge_runtime.store.shelf.version import Version, digest_of
from edge_runtime.store.trial.verdict import Verdict

NOON = 1_800_000_000.0

_SMILE = Path(__file__).parents[2] / "models" / "smile" / "manifest.json"


def opened(root: Path, disk: Disk | None = None, *, keep: int = 5) -> Shelf:
    """A shelf after its start, on which it is always noon."""
    shelf = Shelf(root, disk=disk, keep=keep, now=lambda: NOON)
    shelf.recover()
    return shelf


def files(content: bytes) -> dict[str, bytes]:
    return {
        "model.tflite": content,
        "manifest.json": b'{"about": "%s"}' % content,
        "labels.txt": b"no\nyes\n",
    }


def version(content: bytes, name: str = "mood") -> Version:
    return Version(name, digest_of(files(content)))


def manifest(content: bytes, name: str = "mood") -> Manifest:
    sha256 = hashlib.sha256(content).hexdigest()
    return replace(read_manifest(_SMILE), name=name, model="model.tflite", sha256=sha256)


def admitted(shelf: Shelf, content: bytes, name: str = "mood") -> Version:
    """Put a model of that content on the shelf."""
    described = manifest(content, name)
    return shelf.admit(described, files(content), Verdict(True, "it ran", described.sha256))
