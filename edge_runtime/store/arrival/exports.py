"""How Teachable Machine and Edge Impulse pack their exports, as far as it tells us something.

Teachable Machine: ``model.tflite`` or ``model_unquant.tflite`` beside ``labels.txt``, whose lines
are ``0 Class A``. Its float models are trained on byte / 127.5 - 1, as the Python code says that
it shows beside the export. Edge Impulse: ``ei-PROJECT-…-tensorflow-lite-….lite``; classes stand in
``deployment-metadata.json``, or in ``model_variables.h`` of its C++ library.
"""

from __future__ import annotations

import json
import re
from typing import Final

from edge_runtime.store.arrival.contents import Contents

TEACHABLE_MACHINE: Final = "Teachable Machine"
EDGE_IMPULSE: Final = "Edge Impulse"
SCALING: Final = {TEACHABLE_MACHINE: (1 / 127.5, -1.0)}
"""Scale and offset of float models."""

_MODELS: Final = ("model.tflite", "model_unquant.tflite")
_FIRST_LABEL: Final = re.compile(rb"(\xef\xbb\xbf)?0 \S")
_METADATA: Final = "deployment-metadata.json"
_VARIABLES: Final = "model_variables.h"
_CATEGORIES: Final = re.compile(
    r"ei_classifier_inferencing_categories\[\]\s*=\s*\{([^{}]{0,65536})\}"
)
_TEXT: Final = re.compile(r'"((?:[^"\\\n]|\\.)*)"')


def exporter(model: str, contents: Contents) -> str | None:
    """Who made the contents with the model at path ``model``; None where nothing tells."""
    folder, _, file = model.rpartition("/")
    labels = contents.get(f"{folder}/labels.txt" if folder else "labels.txt", b"")
    if file in _MODELS and _FIRST_LABEL.match(labels):
        return TEACHABLE_MACHINE
    if file.startswith("ei-") or _named(contents, _METADATA) or _named(contents, _VARIABLES):
        return EDGE_IMPULSE
    return None


def edge_impulse_classes(contents: Contents) -> tuple[str, ...] | None:
    """The classes as Edge Impulse's own files name them, in the order of the outputs."""
    metadata, variables = _named(contents, _METADATA), _named(contents, _VARIABLES)
    return _from_metadata(metadata) or _from_variables(variables.decode("utf-8", "replace"))


def _named(contents: Contents, name: str) -> bytes:
    return next((data for path, data in contents.items() if path.split("/")[-1] == name), b"")


def _from_metadata(content: bytes) -> tuple[str, ...] | None:
    try:
        classes = json.loads(content)["classes"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    texts = isinstance(classes, list) and all(isinstance(each, str) for each in classes)
    return tuple(classes) if texts else None


def _from_variables(text: str) -> tuple[str, ...] | None:
    found = _CATEGORIES.search(text)
    return tuple(_TEXT.findall(found[1])) or None if found else None
