"""What was dropped, read: a model's bytes with all that came along to say what it is."""

from __future__ import annotations

import io
import json
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from edge_runtime.engine.schema import read_graph
from edge_runtime.errors import ManifestInvalid, ModelMissing, ModelRejected
from edge_runtime.store.arrival.archive import read_archive
from edge_runtime.store.arrival.contents import (
    DEFAULT_LIMITS,
    Contents,
    Limits,
    read_file,
    read_folder,
)
from edge_runtime.store.arrival.exports import (
    SCALING,
    edge_impulse_classes,
    exporter,
)
from edge_runtime.store.arrival.labels import read_labels
from edge_runtime.store.arrival.metadata import Metadata, read_metadata
from edge_runtime.store.arrival.names import (
    is_archive,
    is_label_file,
    is_model,
    label_file_of,
    model_name,
    shown,
)
from edge_runtime.store.arrival.variants import read_variants
from edge_runtime.store.manifest import FILE_NAME
from edge_runtime.store.package import SUFFIX, expand

_LARGEST_MANIFEST: Final = 1 << 20
_MOST_BRACKETS: Final = 100
"""Opening ones: a manifest has eight, and what nests a thousand deep ends the interpreter."""

_ACCEPTED: Final = f"a .tflite, a {SUFFIX}, a .zip, or a folder with one of these models"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """One model and what is known of it before its tensors were looked at."""

    name: str
    """As a manifest may call it: the manifest's own name, else made from the file's."""
    model: bytes = field(repr=False)
    """The .tflite, expanded where it came as a package; its structure is sound."""
    variants: dict[str, bytes] = field(repr=False)
    """By name each .tflite that the manifest calls a variant, ``model`` among them."""
    labels: tuple[str, ...] | None
    """None where none came along. An SSD's list may hold ``???``."""
    manifest: dict[str, Any] | None
    """The manifest.json that came along, as it was written: nothing in it is checked."""
    origin: str
    """What it was read from, in words."""
    scaling: tuple[float, float] | None
    """Scale and offset that a float input was trained with, where something says so."""
    metadata: Metadata
    """What the .tflite says of itself."""


def read_bundle(
    path: Path, labels: Path | None = None, *, limits: Limits = DEFAULT_LIMITS
) -> Bundle:
    """Read what was dropped; ``labels`` is the label file that lies beside a lone model file.

    The sound structure of the model is checked; nothing is run. Memory stays below six times
    ``limits.bytes`` for packages and two times for all else. Raises ModelRejected, ManifestInvalid,
    or ModelMissing when it is gone.
    """
    contents = _contents(path, labels, limits)
    manifest = _manifest(path, contents)
    chosen = _chosen(path, contents, manifest)
    what = _what(path, chosen)
    model = contents.pop(chosen)
    if chosen.lower().endswith(SUFFIX):
        model = expand(model, name=what)
    read_graph(model, what)
    metadata = read_metadata(model, what)
    maker = exporter(chosen, contents)
    return Bundle(
        name=_name(path, manifest),
        model=model,
        variants=read_variants(manifest, chosen, model, contents, limits),
        labels=_labels(path, chosen, contents, manifest) or metadata.labels,
        manifest=manifest,
        origin=what if maker is None else f"{what}, an export of {maker}",
        scaling=metadata.scaling or SCALING.get(maker or ""),
        metadata=metadata,
    )


def _contents(path: Path, labels: Path | None, limits: Limits) -> Contents:
    kind = _kind(path)
    if stat.S_ISDIR(kind):
        return read_folder(path, limits)
    if is_archive(path.name):
        # Read before it is looked at: what was checked must be what is used.
        return read_archive(io.BytesIO(read_file(path, limits.bytes)), shown(path.name), limits)
    if is_model(path.name) or stat.S_ISLNK(kind):
        beside = {} if labels is None else {labels.name: read_file(labels, limits.bytes)}
        return {path.name: read_file(path, limits.bytes), **beside}
    if is_label_file(path.name):
        raise ModelRejected(
            f"{shown(path.name)} came without its model: drop it with a model of the same name, "
            "or as labels.txt with the only model"
        )
    raise ModelRejected(
        f"{shown(path.name)} is no model: expected {_ACCEPTED}; convert others to .tflite first"
    )


def _kind(path: Path) -> int:
    try:
        return path.lstat().st_mode
    except FileNotFoundError:
        raise ModelMissing(f"{shown(path.name)} is not there any more") from None
    except (OSError, ValueError) as error:
        raise ModelRejected(f"{shown(path.name)} cannot be read: {error}") from None


def _manifest(path: Path, contents: Contents) -> dict[str, Any] | None:
    """The only manifest.json, taken out of the contents."""
    found = [each for each in contents if each.split("/")[-1] == FILE_NAME]
    if not found:
        return None
    name = _what(path, found[0])
    if len(found) > 1:
        raise ManifestInvalid(
            f"{shown(path.name)} holds {len(found)} files {FILE_NAME}: drop one model at a time"
        )
    content = contents[found[0]]
    if len(content) > _LARGEST_MANIFEST:
        raise ManifestInvalid(
            f"{name} has {len(content)} bytes, expected at most {_LARGEST_MANIFEST}"
        )
    if content.count(b"{") + content.count(b"[") > _MOST_BRACKETS:
        raise ManifestInvalid(
            f"{name} holds more than {_MOST_BRACKETS} lists and objects, expected those of a "
            "manifest"
        )
    try:
        manifest = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise ManifestInvalid(f"{name} is no JSON: {error}") from None
    if not isinstance(manifest, dict):
        raise ManifestInvalid(f"{name} holds a {type(manifest).__name__}, expected a JSON object")
    return manifest


def _chosen(path: Path, contents: Contents, manifest: dict[str, Any] | None) -> str:
    """The path of the model: the only one, or the one that the manifest names."""
    models = [each for each in contents if is_model(each)]
    named = None if manifest is None else manifest.get("model")
    meant = [each for each in models if each.split("/")[-1] == named]
    if len(models) == 1 or len(meant) == 1:
        return (meant or models)[0]
    if not models:
        raise ModelRejected(f"{shown(path.name)} holds no model: expected a .tflite or a {SUFFIX}")
    listed = ", ".join(shown(each) for each in models[:4])
    raise ModelRejected(
        f"{shown(path.name)} holds {len(models)} models ({listed}): drop one at a time, or name "
        f"one as model in {FILE_NAME}"
    )


def _what(path: Path, inside: str) -> str:
    """What sentences call a file within what was dropped."""
    alone = inside == path.name
    return shown(path.name) if alone else f"{shown(inside)} in {shown(path.name)}"


def _name(path: Path, manifest: dict[str, Any] | None) -> str:
    own = None if manifest is None else manifest.get("name")
    return own if isinstance(own, str) else model_name(path.name)


def _labels(
    path: Path, model: str, contents: Contents, manifest: dict[str, Any] | None
) -> tuple[str, ...] | None:
    """From the manifest, from the file it names, from a label file, from Edge Impulse's files."""
    own = (manifest or {}).get("labels")
    if isinstance(own, list) and own and all(isinstance(each, str) for each in own):
        return tuple(own)
    file = _label_file(model, contents, manifest)
    if file is not None:
        return read_labels(contents[file], _what(path, file))
    return edge_impulse_classes(contents)


def _label_file(model: str, contents: Contents, manifest: dict[str, Any] | None) -> str | None:
    folder = model.rpartition("/")[0]
    prefix = f"{folder}/" if folder else ""
    # Which model is meant is known here, so that other models do not make labels.txt doubtful.
    beside = [
        each[len(prefix) :]
        for each in contents
        if each.rpartition("/")[0] == folder and not is_model(each)
    ]
    named = (manifest or {}).get("labels_file")
    if named is None:
        file = label_file_of(model.rpartition("/")[2], beside)
        return None if file is None else prefix + file
    if named not in beside:
        raise ManifestInvalid(
            f"{FILE_NAME} names the labels_file {shown(str(named))!r}, which is not beside the "
            "model: put it there, or write labels"
        )
    return f"{prefix}{named}"
