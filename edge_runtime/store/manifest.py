"""manifest.json: what a model is for, what it eats and how to read its answers.

All keys are described in docs/models.md. Reading is strict: what is not understood is refused.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal, cast, get_args

from edge_runtime.errors import ManifestInvalid
from edge_runtime.store.embedding import EmbeddingSpec, read_embedding
from edge_runtime.store.fields import Fields
from edge_runtime.store.head import GLANCE, LABELLED, HeadSpec, HeadType, read_head
from edge_runtime.store.variant import DIGEST, FILE, Variant, read_variants
from edge_runtime.types import CropSpec

Kind = Literal["face-detector", "object-detector", "crop-classifier", "points", "embedding"]
Color = Literal["luma", "rgb", "bgr"]
Activation = Literal["softmax", "logits", "sigmoid"]

FILE_NAME: Final = "manifest.json"
SCHEMA: Final = 1
DETECTORS: Final[tuple[Kind, ...]] = ("face-detector", "object-detector")
"""Kinds that say where to look."""

LARGEST_SIDE: Final = 4096
"""Pixels: larger than any picture worth running whole, small enough to catch a wrong number."""

_NAME: Final = r"[a-z0-9][a-z0-9._-]{0,63}"


@dataclass(frozen=True, slots=True)
class InputSpec:
    """The picture a model takes: real = byte * scale + offset for each channel."""

    width: int
    height: int
    color: Color
    scale: float = 1.0
    offset: float = 0.0

    @property
    def channels(self) -> int:
        return 1 if self.color == "luma" else 3


@dataclass(frozen=True, slots=True)
class CropShape:
    """How to cut a face for a classifier."""

    margin: float = 0.0
    """Share of the face's longer side added around it in all: 0.25 is an eighth on each side."""
    square: bool = True


@dataclass(frozen=True, slots=True)
class Quality:
    """How good it was where it was measured, as its card says."""

    measure: str
    """Such as ``balanced accuracy``."""
    value: float
    """0 to 1, 1 is best."""
    data: str
    """What it was measured on, in a few words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """A model's description. Fields of other kinds keep their defaults."""

    name: str
    version: str
    kind: Kind
    model: str
    """File name of the .tflite, beside the manifest."""
    sha256: str
    """Of the .tflite, 64 lower-case hexadecimal digits."""
    licence: str
    description: str
    input: InputSpec
    threshold: float = 0.5
    """Lowest score that counts, 0 to 1."""
    head: HeadSpec = GLANCE
    """Detectors: how the outputs are read."""
    iou_threshold: float = 0.45
    """Detectors: boxes that overlap more are one face or thing."""
    labels: tuple[str, ...] = ()
    """In the order of a classifier's outputs, or of the numbers of a detector's classes."""
    labels_file: str | None = None
    """Where the labels came from, when not from the manifest itself."""
    activation: Activation = "logits"
    """crop-classifier: what the network's last step is."""
    crop: CropShape = CropShape()
    embedding: EmbeddingSpec | None = None
    """Embeddings of faces: how to lay a face out and what a cosine means. None: not said."""
    variants: tuple[Variant, ...] = ()
    """Files that do the same in other numbers, ``model`` among them; none for a lone file."""
    quality: Quality | None = None
    """None: not said."""

    @property
    def offers(self) -> tuple[Variant, ...]:
        """Every file that may be run, ``model`` first."""
        own = Variant("model", self.model, self.sha256)
        return tuple(sorted(self.variants, key=lambda each: each.sha256 != self.sha256)) or (own,)

    def of_variant(self, variant: Variant) -> Manifest:
        """The manifest as if that file were the model."""
        return replace(self, model=variant.model, sha256=variant.sha256)

    @property
    def crop_spec(self) -> CropSpec:
        """What a classifier's crops look like."""
        return CropSpec(
            width=self.input.width,
            height=self.input.height,
            channels=self.input.channels,
            margin=self.crop.margin,
            square=self.crop.square,
        )


def read_manifest(file: Path) -> Manifest:
    """Read and check a manifest, its label file included. Raises ManifestInvalid."""
    fields = Fields.read(file)
    schema = fields.whole("schema", 1, 2**31)
    if schema != SCHEMA:
        fields.refuse("schema", schema, f"{SCHEMA}: a newer edge-runtime may be able to read it")
    manifest = _manifest(fields, file.parent)
    fields.finish()
    return manifest


def _manifest(fields: Fields, folder: Path) -> Manifest:
    kind = cast(Kind, fields.choice("kind", get_args(Kind)))
    manifest = Manifest(
        kind=kind,
        name=fields.text("name", _NAME, "up to 64 of a-z, 0-9, '.', '_' and '-'"),
        version=fields.text("version", r"[0-9A-Za-z][0-9A-Za-z.+-]{0,31}", "such as 0.1.0"),
        model=fields.text("model", FILE, "a file name without folders", "model.tflite"),
        sha256=fields.text("sha256", DIGEST, "64 digits 0-9 a-f, the file's SHA-256"),
        licence=fields.text("licence", r".+", "an SPDX name such as Apache-2.0"),
        description=fields.text("description", r"(?s).*", "a sentence", ""),
        quality=_quality(fields) if "quality" in fields else None,
        **_of_kind(kind, fields, folder),
    )
    return replace(manifest, variants=read_variants(fields, manifest.model, manifest.sha256))


def _quality(fields: Fields) -> Quality:
    said = fields.section("quality")
    quality = Quality(
        said.text("measure", r".{1,60}", "what was measured, such as balanced accuracy"),
        said.number("value", 0, 1),
        said.text("data", r".{1,200}", "what it was measured on, in a few words"),
    )
    said.finish()
    return quality


def _of_kind(kind: Kind, fields: Fields, folder: Path) -> dict[str, Any]:
    """What not every kind has."""
    if kind == "embedding":
        return _embedding(fields)
    if kind == "points":
        return _cut(fields)
    own = _detector(kind, fields, folder) if kind in DETECTORS else _classifier(fields, folder)
    return {"threshold": fields.number("threshold", 0, 1, 0.5), **own}


def _detector(kind: Kind, fields: Fields, folder: Path) -> dict[str, Any]:
    """What only detectors have; those that find labelled things need the labels."""
    head = fields.section("head")
    types = LABELLED if kind == "object-detector" else get_args(HeadType)
    head_type = cast(HeadType, head.choice("type", types))
    named = "labels" in fields or "labels_file" in fields
    labels: tuple[str, ...] = ()
    labels_file = None
    if kind == "object-detector" or (named and head_type in LABELLED):
        # Lists of classes have holes: "???" stands for every number without a thing.
        labels, labels_file = _labels(fields, folder, repeats=True)
    return {
        "input": _input(fields.section("input"), get_args(Color)),
        "head": read_head(head_type, head, labels),
        "labels": labels,
        "labels_file": labels_file,
        "iou_threshold": fields.number("iou_threshold", 0, 1, 0.45),
    }


def _classifier(fields: Fields, folder: Path) -> dict[str, Any]:
    """What only a crop-classifier has."""
    labels, labels_file = _labels(fields, folder)
    return {
        "input": _input(fields.section("input"), ("luma", "rgb")),
        "labels": labels,
        "labels_file": labels_file,
        "activation": fields.choice("activation", get_args(Activation)),
        "crop": _crop(fields.section("crop", optional=True)),
    }


def _embedding(fields: Fields) -> dict[str, Any]:
    """What only an embedding has."""
    said = "embedding" in fields
    return {
        **_cut(fields),
        "embedding": read_embedding(fields.section("embedding")) if said else None,
    }


def _cut(fields: Fields) -> dict[str, Any]:
    """What every model has that is shown a crop and has no labels."""
    return {
        "input": _input(fields.section("input"), get_args(Color)),
        "crop": _crop(fields.section("crop", optional=True)),
    }


def _input(picture: Fields, colors: tuple[str, ...]) -> InputSpec:
    width, height = _size(picture)
    spec = InputSpec(
        width,
        height,
        cast(Color, picture.choice("color", colors)),
        scale=picture.number("scale", -1e6, 1e6, 1.0),
        offset=picture.number("offset", -1e6, 1e6, 0.0),
    )
    if spec.scale == 0:
        picture.refuse("scale", spec.scale, "any number but 0")
    picture.finish()
    return spec


def _size(picture: Fields) -> tuple[int, int]:
    return picture.whole("width", 1, LARGEST_SIDE), picture.whole("height", 1, LARGEST_SIDE)


def _crop(fields: Fields) -> CropShape:
    shape = CropShape(fields.number("margin", 0, 4, 0.0), fields.flag("square", True))
    fields.finish()
    return shape


def _labels(
    fields: Fields, folder: Path, *, repeats: bool = False
) -> tuple[tuple[str, ...], str | None]:
    """The labels and the file they came from: from ``labels``, else from ``labels_file``."""
    if "labels_file" not in fields:
        expected = f"a list of {'' if repeats else 'different '}texts, or use labels_file"
        return fields.items("labels", str, expected, repeats=repeats), None
    if "labels" in fields:
        fields.refuse("labels_file", "set", "either labels or labels_file, not both")
    name = fields.text("labels_file", FILE, "a file name without folders")
    return _read_labels(folder / name, repeats=repeats), name


def _read_labels(file: Path, *, repeats: bool) -> tuple[str, ...]:
    """One label a line; blank lines at the end do not count."""
    try:
        lines = file.read_text("utf-8").rstrip().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ManifestInvalid(f"label file {file} cannot be read: {error}") from None
    labels = tuple(line.strip() for line in lines)
    for number, label in enumerate(labels, start=1):
        if not label or (not repeats and label in labels[: number - 1]):
            what = "is empty" if not label else f"repeats {label!r}"
            raise ManifestInvalid(f"label file {file}: line {number} {what}, expected a new label")
    if not labels:
        raise ManifestInvalid(f"label file {file} is empty, expected one label a line")
    return labels
