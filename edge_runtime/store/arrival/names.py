"""What the names of dropped files say: which are models, labels or unfinished, and who is who's."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final

from edge_runtime.store.package import SUFFIX

MODEL_SUFFIXES: Final = (SUFFIX, ".tflite", ".lite")
"""``.lite`` is what Edge Impulse calls its .tflite files."""

ARCHIVE_SUFFIX: Final = ".zip"
UNFINISHED: Final = (
    ".part",
    ".partial",
    ".tmp",
    ".temp",
    ".swp",
    ".crdownload",
    ".download",
    ".filepart",
    "~",
)
"""What copying, downloading and editing programs put behind a name until they are done."""

_JUNK: Final = ("__MACOSX", "Thumbs.db", "desktop.ini")
_COPY_NUMBER: Final = re.compile(r" ?\(\d+\)$")
_EDGE_IMPULSE: Final = re.compile(r"ei-(.+?)-tensorflow-lite-.*")
_LONGEST: Final = 64


def ignored(name: str) -> bool:
    """Whether a file or folder of this name is nobody's drop: hidden, or left by a system."""
    return name.startswith(".") or name in _JUNK


def unfinished(name: str) -> bool:
    """Whether the name is one that a program uses until the file is whole."""
    return name.lower().endswith(UNFINISHED)


def is_model(name: str) -> bool:
    """Whether the name is that of a model file, a package included."""
    return name.lower().endswith(MODEL_SUFFIXES)


def is_archive(name: str) -> bool:
    """Whether the name is that of a zip file."""
    return name.lower().endswith(ARCHIVE_SUFFIX)


def is_label_file(name: str) -> bool:
    """Whether the name can be that of a list of labels."""
    return name.lower().endswith(".txt")


def stem(name: str) -> str:
    """The name without what says which kind of file it is."""
    for suffix in (*MODEL_SUFFIXES, ARCHIVE_SUFFIX):
        if name.lower().endswith(suffix):
            return name[: -len(suffix)]
    return name


def model_name(file: str) -> str:
    """A name that a manifest allows: ``My Mood (1).tflite`` is called ``my-mood``.

    The same name again is the next version of the same model, so a copy's number goes.
    """
    told = _COPY_NUMBER.sub("", stem(file))
    exported = _EDGE_IMPULSE.fullmatch(told)
    told = exported[1] if exported else told
    allowed = re.sub(r"[^a-z0-9._-]+", "-", told.lower()).strip("._-")
    return allowed[:_LONGEST].rstrip("._-") or "model"


def label_file_of(model: str, names: Collection[str]) -> str | None:
    """Which of the names beside a model are its labels: ``mood.txt``, else ``labels.txt``.

    ``labels.txt`` counts only where no other model could mean it.
    """
    own = _own_label_file(model, names)
    if own is not None:
        return own
    others = [
        other
        for other in names
        if is_model(other) and other != model and _own_label_file(other, names) is None
    ]
    shared = [name for name in ("labels.txt", "labelmap.txt") if name in names]
    return shared[0] if shared and not others else None


def _own_label_file(model: str, names: Collection[str]) -> str | None:
    own = (f"{stem(model)}{end}.txt" for end in ("", ".labels", "_labels", "-labels"))
    return next((name for name in own if name in names), None)


def shown(name: str) -> str:
    """The name as it can stand in a sentence of one line."""
    short = name if len(name) <= 120 else f"{name[:119]}…"
    return short if short.isprintable() else ascii(short)
