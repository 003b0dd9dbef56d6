"""The files one model comes in: the same network in other numbers, for other boards."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal, cast, get_args

from edge_runtime.store.fields import Fields

Precision = Literal["float32", "float16", "dynamic", "int8", "int16"]
"""``dynamic``: weights in 8 bits, all else in float32; ``int8``, ``int16``: also what flows."""

FILE: Final = r"[A-Za-z0-9][A-Za-z0-9._-]*"
DIGEST: Final = r"[0-9a-f]{64}"
NAME: Final = r"[a-z0-9][a-z0-9._-]{0,31}"

MOST: Final = 8
"""Each is tried before it is admitted, and measured when the model is tuned."""


@dataclass(frozen=True, slots=True)
class Variant:
    """One of the files."""

    name: str
    model: str
    """File name beside the manifest."""
    sha256: str
    """Of the .tflite, 64 lower-case hexadecimal digits."""
    precision: Precision | None = None
    """None where no manifest says it."""
    accuracy: float | None = None
    """Share that came out right, 0 to 1, where it was trained; None: unknown."""


def read_variants(fields: Fields, model: str, sha256: str) -> tuple[Variant, ...]:
    """The table ``variants`` of a manifest: name to file. None where there is no such table.

    One of them must be what the manifest itself names: ``model`` with ``sha256``. Raises
    ManifestInvalid.
    """
    if "variants" not in fields:
        return ()
    table = fields.section("variants")
    variants = tuple(_read(table, name) for name in table.names())
    models = [each.model for each in variants]
    if len(models) > MOST:
        fields.refuse("variants", models, f"at most {MOST} of them")
    if len(set(models)) < len(models):
        fields.refuse("variants", models, "each model file once")
    if (model, sha256) not in ((each.model, each.sha256) for each in variants):
        fields.refuse("variants", models, f"one with model {model} and the manifest's own sha256")
    return variants


def _read(table: Fields, name: str) -> Variant:
    if not re.fullmatch(NAME, name):
        table.refuse(name, "a variant", "a name of up to 32 of a-z, 0-9, '.', '_' and '-'")
    fields = table.section(name)
    variant = Variant(
        name=name,
        model=fields.text("model", FILE, "a file name without folders"),
        sha256=fields.text("sha256", DIGEST, "64 digits 0-9 a-f, the file's SHA-256"),
        precision=cast(Precision, fields.choice("precision", get_args(Precision))),
        accuracy=fields.optional_number("accuracy", 0, 1),
    )
    fields.finish()
    return variant
