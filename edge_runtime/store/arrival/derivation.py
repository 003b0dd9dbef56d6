"""The manifest of a dropped model: what people wrote, and for the rest what the file tells.

What nobody tells is asked for, key by key. The result is written to be edited, in the order of the
manifests that come with the program.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any, Final, Protocol, get_args

from edge_runtime.engine.schema import read_graph
from edge_runtime.errors import ManifestInvalid, ModelRejected
from edge_runtime.store.arrival.bundle import Bundle
from edge_runtime.store.arrival.labels import distinct
from edge_runtime.store.head import LABELLED, HeadSpec
from edge_runtime.store.manifest import (
    DETECTORS,
    FILE_NAME,
    SCHEMA,
    Activation,
    CropShape,
    InputSpec,
    Kind,
)

MODEL_FILE: Final = "model.tflite"
"""What the manifest calls the model, and so how it must be stored."""

OPEN: Final = "?"
"""Stands in a skeleton for what has to be filled in; the manifest's reader refuses it."""

NO_VERSION: Final = "0"
NO_LICENCE: Final = "NOASSERTION"
"""SPDX's word for a licence that nobody named."""

_VERSION: Final = re.compile(r"v?([0-9A-Za-z][0-9A-Za-z.+-]{0,31})")
_SECTIONS: Final = ("input", "head", "crop")
_LONGEST_TEXT: Final = 400


class Recognized(Protocol):
    """What the tensors told; ``store.recognition.Recognition`` is one."""

    @property
    def kind(self) -> Kind: ...
    @property
    def input(self) -> InputSpec: ...
    @property
    def head(self) -> HeadSpec | None: ...
    @property
    def activation(self) -> Activation | None: ...
    @property
    def unknown(self) -> tuple[str, ...]:
        """Sentences that begin with the keys they ask for: ``input.scale and input.offset: …``."""


def derive(bundle: Bundle, told: Recognized) -> dict[str, Any]:
    """The whole manifest, for a model that is stored as ``MODEL_FILE``.

    What people wrote is taken as it is; ``read_manifest`` checks it. Raises ManifestInvalid naming
    every key that nobody tells, or ModelRejected when the manifest is that of another model.
    """
    _require_same(bundle)
    asked = [sentence for sentence in told.unknown if not _answered(sentence, bundle)]
    if asked:
        raise ManifestInvalid(
            f"{bundle.origin} does not tell all that is needed: put the model into a folder with a "
            f"{FILE_NAME} that says the rest ({'; '.join(asked)})"
        )
    return _merged(bundle, told)


def stored(bundle: Bundle) -> dict[str, bytes]:
    """The model and its variants by the names that ``derive`` gives them."""
    variants = {_place_of_variant(name, bundle): each for name, each in bundle.variants.items()}
    return {MODEL_FILE: bundle.model, **variants}


def skeleton(bundle: Bundle, told: Recognized) -> dict[str, Any]:
    """The manifest with ``?`` at every key that ``derive`` asks for."""
    manifest = _merged(bundle, told)
    for sentence in told.unknown:
        if not _answered(sentence, bundle):
            for section, key in map(_place, _keys(sentence)):
                (manifest.setdefault(section, {}) if section else manifest)[key] = OPEN
    return manifest


def to_text(manifest: Mapping[str, Any]) -> str:
    """As it is written to manifest.json."""
    return json.dumps(manifest, indent=2, ensure_ascii=False) + "\n"


def _require_same(bundle: Bundle) -> None:
    named = (bundle.manifest or {}).get("sha256")
    found = hashlib.sha256(bundle.model).hexdigest()
    if named not in (None, OPEN, found):
        raise ModelRejected(
            f"{bundle.origin} is not the model that its {FILE_NAME} describes: its SHA-256 is "
            f"{found}, the manifest says {str(named)[:80]}; correct sha256, or leave it out"
        )


def _keys(sentence: str) -> list[str]:
    return sentence.partition(":")[0].split(" and ")


def _place(key: str) -> tuple[str, str]:
    """Section, empty for the outermost, and key within it."""
    section, _, inner = key.rpartition(".")
    return section, inner


def _answered(sentence: str, bundle: Bundle) -> bool:
    keys = _keys(sentence)
    if bundle.scaling is not None and "input.scale" in keys:
        return True
    own = bundle.manifest or {}
    if keys == ["labels"] and ("labels_file" in own or _kind_without_labels(own)):
        return True
    # One of two may be left out: scale and offset have defaults.
    return any(_value(own, key) not in (None, OPEN) for key in keys)


def _kind_without_labels(own: Mapping[str, Any]) -> bool:
    return own.get("kind") in ("face-detector", "embedding")


def _value(own: Mapping[str, Any], key: str) -> Any:
    section, inner = _place(key)
    values = own.get(section) if section else own
    return values.get(inner) if isinstance(values, Mapping) else None


def _merged(bundle: Bundle, told: Recognized) -> dict[str, Any]:
    own = _filled(bundle.manifest or {})
    own.pop("labels_file", None)  # read already
    kind = own.get("kind")
    base = _base(bundle, told, str(kind) if kind in get_args(Kind) else told.kind)
    for key in _SECTIONS:
        if isinstance(own.get(key), dict) and not _another_head(own[key], base.get(key, {})):
            own[key] = base.get(key, {}) | own[key]
    if isinstance(own.get("variants"), dict):
        own["variants"] = {
            name: _variant(name, entry, bundle) for name, entry in own["variants"].items()
        }
    return base | own | {"model": MODEL_FILE, "sha256": base["sha256"]}


def _variant(name: str, entry: Any, bundle: Bundle) -> Any:
    """An entry of ``variants`` as the file is stored; what is none is left to the reader."""
    if name not in bundle.variants:
        return entry
    sha256 = hashlib.sha256(bundle.variants[name]).hexdigest()
    return {"sha256": sha256, **entry, "model": _place_of_variant(name, bundle)}


def _place_of_variant(name: str, bundle: Bundle) -> str:
    own = bundle.variants[name] == bundle.model
    return MODEL_FILE if own else f"variant-{name}.tflite"


def _filled(values: Mapping[str, Any]) -> dict[str, Any]:
    """Without what a skeleton leaves open."""
    return {
        key: _filled(value) if isinstance(value, dict) else value
        for key, value in values.items()
        if value != OPEN
    }


def _another_head(own: Mapping[str, Any], base: Mapping[str, Any]) -> bool:
    """Strides and the like belong to one type of head."""
    return "type" in base and own.get("type", base["type"]) != base["type"]


def _base(bundle: Bundle, told: Recognized, kind: str) -> dict[str, Any]:
    """What the file tells, with every key that a manifest of this kind can have."""
    return {
        "schema": SCHEMA,
        "name": bundle.name,
        "version": _version(bundle.metadata.version),
        "kind": kind,
        "model": MODEL_FILE,
        "sha256": hashlib.sha256(bundle.model).hexdigest(),
        "licence": _licence(bundle.metadata.licence),
        "description": _description(bundle),
        "input": _input(bundle, told.input),
        **(_detector(bundle, told) if kind in DETECTORS else {}),
        **(_classifier(bundle, told) if kind == "crop-classifier" else {}),
        **({"crop": _crop()} if kind == "embedding" else {}),
    }


def _version(text: str) -> str:
    found = _VERSION.fullmatch(text.strip())
    return found[1] if found else NO_VERSION


def _licence(text: str) -> str:
    if "apache" in text.lower() and "2.0" in text:
        return "Apache-2.0"
    return _line(text) or NO_LICENCE


def _description(bundle: Bundle) -> str:
    own = _line(bundle.metadata.description)
    derived = f"This manifest was derived from {bundle.origin}: check it, the crop above all."
    return f"{own} {derived}" if own else derived


def _line(text: str) -> str:
    """On one line, without what a terminal might obey."""
    words = "".join(letter if letter.isprintable() else " " for letter in text).split()
    line = " ".join(words)
    return line if len(line) <= _LONGEST_TEXT else f"{line[: _LONGEST_TEXT - 1]}…"


def _input(bundle: Bundle, spec: InputSpec) -> dict[str, Any]:
    """The range of an 8-bit input says what it was trained with; a float one's does not."""
    scale, offset = spec.scale, spec.offset
    if bundle.scaling is not None and _takes_floats(bundle):
        scale, offset = bundle.scaling
    return {
        "width": spec.width,
        "height": spec.height,
        "color": spec.color,
        "scale": scale,
        "offset": offset,
    }


def _takes_floats(bundle: Bundle) -> bool:
    inputs, _ = read_graph(bundle.model, bundle.origin).interface()
    return inputs[0].dtype.kind == "f"


def _detector(bundle: Bundle, told: Recognized) -> dict[str, Any]:
    head = told.head
    labels = None if head is None or head.type not in LABELLED else bundle.labels
    return {
        **({} if head is None else {"head": _head(head)}),
        **({} if labels is None else {"labels": list(labels)}),
        "threshold": 0.5,
        "iou_threshold": 0.45,
    }


def _head(head: HeadSpec) -> dict[str, Any]:
    return {
        "type": head.type,
        **({"strides": list(head.strides)} if head.strides else {}),
        **({"coordinates": head.coordinates} if head.type.startswith("yolo") else {}),
        **({"outputs": list(head.outputs)} if head.outputs else {}),
    }


def _classifier(bundle: Bundle, told: Recognized) -> dict[str, Any]:
    return {
        **({} if bundle.labels is None else {"labels": list(distinct(bundle.labels))}),
        **({} if told.activation is None else {"activation": told.activation}),
        "crop": _crop(),
        "threshold": 0.5,
    }


def _crop() -> dict[str, Any]:
    return {"margin": CropShape().margin, "square": CropShape().square}
