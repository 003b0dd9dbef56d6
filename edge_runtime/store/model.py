"""A model that was found: its folder, its manifest, and the promise that the two fit."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from edge_runtime.engine.engine import Engine, open_content
from edge_runtime.engine.graph import Graph
from edge_runtime.engine.schema import read_graph
from edge_runtime.errors import ManifestInvalid, ModelRejected
from edge_runtime.store.embedding import POINTS
from edge_runtime.store.manifest import FILE_NAME, Manifest, read_manifest
from edge_runtime.store.package import ModelFile, read_tflite
from edge_runtime.store.variant import Variant


@dataclass(frozen=True, slots=True)
class Model:
    """A folder with a manifest and the model file it names, checked against each other."""

    manifest: Manifest
    folder: Path
    sha256: str
    """Of the .tflite."""
    file: ModelFile = field(repr=False)
    """What was read and checked; the file itself may be another meanwhile."""

    @property
    def path(self) -> Path:
        """The .tflite file, or the package it was expanded from."""
        return self.file.path

    @property
    def bytes(self) -> int:
        """Size of the .tflite."""
        return len(self.file.tflite)

    def open_engine(
        self, *, threads: int = 1, backend: str = "auto", xnnpack: bool = True
    ) -> Engine:
        """Load what was checked into an interpreter; close it. Raises as ``open_content``."""
        return open_content(
            self.file.tflite,
            name=str(self.path),
            threads=threads,
            backend=backend,
            xnnpack=xnnpack,
        )

    def as_variant(self, variant: Variant) -> Model:
        """The same model from another of its folder's files. Raises as ``load_model``."""
        if variant.sha256 == self.sha256:
            return self
        return verified(self.folder, self.manifest.of_variant(variant))


def load_model(folder: Path) -> Model:
    """Read a model's folder and check that manifest, label file and model belong together.

    Raises ManifestInvalid, ModelMissing or ModelRejected. No interpreter is started.
    """
    return verified(folder, read_manifest(folder / FILE_NAME))


def verified(folder: Path, manifest: Manifest) -> Model:
    """The model of a manifest that was already read."""
    path = folder / manifest.model
    file = read_tflite(path)
    sha256 = hashlib.sha256(file.tflite).hexdigest()
    if sha256 != manifest.sha256:
        which = str(path) if file.package_bytes is None else f"the .tflite in {path}"
        raise ModelRejected(
            f"{which} is not the file its manifest describes: its SHA-256 is {sha256}, the "
            f"manifest says {manifest.sha256}; copy the whole folder again, or correct sha256"
        )
    graph = read_graph(file.tflite, str(path))
    _check_input(path, manifest, graph)
    if manifest.kind == "crop-classifier":
        _check_labels(path, manifest, graph)
    if manifest.kind == "embedding":
        _check_vector(path, manifest, graph)
    if manifest.kind == "points":
        _check_points(path, graph)
    return Model(manifest, folder, sha256, file)


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


def _check_vector(path: Path, manifest: Manifest, graph: Graph) -> None:
    """One row of two numbers or more; as many as the manifest says, where it does."""
    found = [graph.tensors[index].shape for index in graph.outputs]
    if len(found) != 1 or set(found[0][:-1]) != {1} or found[0][-1] < 2:
        raise ModelRejected(
            f"{path} is described as an embedding, but gives {_listed(found)}; expected one row of "
            "numbers (1, n): set kind in the manifest to what the model is"
        )
    spec = manifest.embedding
    if spec is not None and spec.size != found[0][-1]:
        raise ModelRejected(
            f"{path} gives {found[0][-1]} numbers, its manifest says embedding.size is "
            f"{spec.size}: copy the whole folder again, or correct the manifest"
        )


def _sized(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape))


def _listed(shapes: list[tuple[int, ...]]) -> str:
    return " and ".join(_sized(shape) for shape in shapes) or "nothing"


def _check_points(path: Path, graph: Graph) -> None:
    """One row of x and y of each point."""
    found = [graph.tensors[index].shape for index in graph.outputs]
    if found != [(1, 2 * POINTS)]:
        raise ModelRejected(
            f"{path} is described as points, but gives {_listed(found)}; expected "
            f"{_sized((1, 2 * POINTS))}, x and y of {POINTS} points: set kind in the manifest to "
            "what the model is"
        )
