"""The other files of a dropped model: those that its manifest's ``variants`` name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from edge_runtime.errors import ManifestInvalid, ModelRejected
from edge_runtime.store.arrival.contents import Contents, Limits
from edge_runtime.store.arrival.names import shown
from edge_runtime.store.manifest import FILE_NAME
from edge_runtime.store.package import SUFFIX, expand
from edge_runtime.store.variant import NAME


def read_variants(
    manifest: Mapping[str, Any] | None,
    path: str,
    model: bytes,
    contents: Contents,
    limits: Limits,
) -> dict[str, bytes]:
    """By variant the .tflite; ``path`` is where among the contents the ``model`` itself was.

    What is no right entry is left to the manifest's reader, who names it. Raises ManifestInvalid
    for a file that is not beside the model, and ModelRejected for a damaged package or when all
    together are larger than ``limits.bytes`` once expanded.
    """
    folder, slash, own = path.rpartition("/")
    read: dict[str, bytes] = {}
    for name, file in _named(manifest).items():
        read[name] = model if file == own else _read(f"{folder}{slash}{file}", name, contents)
        if sum(map(len, read.values())) > limits.bytes:
            raise ModelRejected(
                f"{FILE_NAME} names variants of more than {limits.bytes} bytes together: drop fewer"
            )
    return read


def _named(manifest: Mapping[str, Any] | None) -> dict[str, str]:
    """Variant to file name, of the entries that a manifest may have."""
    entries = (manifest or {}).get("variants")
    if not isinstance(entries, dict):
        return {}
    files = {name: each.get("model") for name, each in entries.items() if isinstance(each, dict)}
    return {
        name: file
        for name, file in files.items()
        if re.fullmatch(NAME, name) and isinstance(file, str)
    }


def _read(path: str, name: str, contents: Contents) -> bytes:
    if path not in contents:
        raise ManifestInvalid(
            f"{FILE_NAME} names the variant {name} with the file {shown(path)!r}, which is not "
            "there: put it beside the model, or take the variant out"
        )
    content = contents[path]
    return expand(content, name=shown(path)) if path.lower().endswith(SUFFIX) else content
