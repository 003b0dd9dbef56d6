"""A model that was found: its folder, its manifest, and the promise that the two fit."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from edge_runtime.engine.engine import read_model_file
from edge_runtime.engine.graph import Graph
from edge_runtime.engine.schema import read_graph
from edge_runtime.errors import ManifestInvalid, ModelRejected
from edge_runtime.store.manifest import FILE_NAME, Manifest, read_manifest


@dataclass(frozen=True, slots=True)
class Model:
    """A folder with a manifest and the .tflite it names, checked against each other."""

    manifest: Manifest
    folder: Path
    path: Path
    """The .tflite file."""
    sha256: str
    bytes: int
    """Size of the .tflite file."""


def load_model(folder: Path) -> Model:
    """Read a model's folder and check that manifest, label file and model belong together.

    Raises ManifestInvalid, ModelMissing or ModelRejected. No interpreter is started.
    """
    return verified(folder, read_manifest(folder / FILE_NAME))


def verified(folder: Path, manifest: Manifest) -> Model:
    """The model of a manifest that was already read."""
    path = folder / manifest.model
    content = read_model_file(path)
    sha256 = hashlib.sha256(content).hexdigest()
    if sha256 != manifest.sha256:
        raise ModelRejected(
            f"{path} is not the file its manifest describes: its SHA-256 is {sha256}, the "
            f"manifest says {manifest.sha256}; copy the whole folder again, or correct sha256"
        )
    graph = read_graph(content, str(path))
    _check_input(path, manifest, graph)
    if manifest.kind == "crop-classifier":
        _check_labels(path, manifest, graph)
    return Model(manifest, folder, path, sha256, len(content))


def _check_input(path: Path, manifest: Manifest, graph: Graph) -> None:
    spec = manifest.input
    expected = (1, spec.height, spec.width, spec.channels)
    found = [graph.tensors[index].shape for index in graph.inputs]
    if found != [expected]:
        raise ModelRejected(
            f"{path} does not fit its manifest: it takes {_listed(found)}, the manifest's "
            f"{spec.width}x{spec.height} {spec.color} means one input of {_sized(expected)} "
            "(1, height, width, channels)"
        )


def _check_labels(path: Path, manifest: Manifest, graph: Graph) -> None:
    """As many labels as numbers; two labels may share one number, the likelihood of the second."""
    found = [graph.tensors[index] for index in graph.outputs]
    numbers = found[0].elements if len(found) == 1 else None
    labels = len(manifest.labels)
    if numbers == labels or (numbers, labels) == (1, 2):
        return
    source = manifest.labels_file or FILE_NAME
    raise ManifestInvalid(
        f"{path.parent / source} has {labels} label(s) ({', '.join(manifest.labels)}), but the "
        f"output of {path.name} is {_listed([tensor.shape for tensor in found])}: "
        f"expected {numbers if numbers is not None else 'one output and as many'} label(s)"
    )


def _sized(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape))


def _listed(shapes: list[tuple[int, ...]]) -> str:
    return " and ".join(_sized(shape) for shape in shapes) or "nothing"
