"""Where models come in: what was dropped is read, recognized, tried and put on the shelf.

The one way in, whoever brings the model: the watched folder, the command line or the page.
"""

from __future__ import annotations

import logging
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

from edge_runtime.engine.schema import read_graph
from edge_runtime.errors import ManifestIncomplete, ManifestInvalid, ModelRejected
from edge_runtime.store.arrival.bundle import Bundle, read_bundle
from edge_runtime.store.arrival.contents import DEFAULT_LIMITS, Limits, read_file
from edge_runtime.store.arrival.derivation import derive, skeleton, stored, to_text
from edge_runtime.store.manifest import FILE_NAME, Manifest, read_manifest
from edge_runtime.store.recognition import Recognition, recognize
from edge_runtime.store.shelf.shelf import Shelf
from edge_runtime.store.shelf.version import Version
from edge_runtime.store.signature import LARGEST, SUFFIX, TrustedKeys
from edge_runtime.store.trial import trial
from edge_runtime.store.trial.verdict import Verdict

logger = logging.getLogger(__name__)

DROPS: Final = "models"
"""In the folder of the state, where models are dropped unless the settings say otherwise."""

ADMITTED: Final = "admitted"
"""In the folder for drops: the shelf."""


class Try(Protocol):
    """How a model is tried; ``trial.run`` is one."""

    def __call__(self, model_file: Path, manifest: Manifest, /, *, name: str) -> Verdict: ...


@dataclass(frozen=True, slots=True)
class Examined:
    """A model that was read and recognized, and what came of running it."""

    manifest: Manifest
    verdict: Verdict
    origin: str
    """What it was read from, in words."""
    files: dict[str, bytes] = field(repr=False)
    """As they go on the shelf."""


class Desk:
    """Takes models in. Nothing it is given can stop the program it works for."""

    def __init__(
        self,
        shelf: Shelf,
        *,
        trusted: TrustedKeys | None = None,
        limits: Limits = DEFAULT_LIMITS,
        attempt: Try = trial.run,
    ) -> None:
        self.shelf = shelf
        self._trusted, self._limits, self._attempt = trusted, limits, attempt

    def examine(self, path: Path, labels: Path | None = None) -> Examined:
        """Say what a file is and whether it runs; nothing is kept.

        Raises ModelRejected, ManifestInvalid or ModelMissing for what cannot be read or recognized.
        """
        with tempfile.TemporaryDirectory(prefix="edge-runtime-") as folder:
            place = Path(folder) / "model"
            place.mkdir()
            signed = self._signed(path, labels, Path(folder))
            bundle = read_bundle(signed, labels, limits=self._limits)
            told = _recognized(bundle)
            files = {**stored(bundle), FILE_NAME: _manifest_text(bundle, told).encode()}
            for name, content in files.items():
                (place / name).write_bytes(content)
            manifest = read_manifest(place / FILE_NAME)
            verdict = self._tried(place, manifest, bundle.origin)
        return Examined(manifest, verdict, bundle.origin, files)

    def take_in(self, path: Path, labels: Path | None = None) -> tuple[Version, Manifest]:
        """Examine a file and put it on the shelf.

        Raises what ``examine`` raises, ModelRejected with the trial's reason, or ShelfUnwritable.
        The file stays where it is.
        """
        examined = self.examine(path, labels)
        if not examined.verdict.ok:
            raise ModelRejected(examined.verdict.reason)
        version = self.shelf.admit(examined.manifest, examined.files, examined.verdict)
        logger.info("%s is on the shelf, from %s", version, examined.origin)
        return version, examined.manifest

    def refuse(self, path: Path, error: Exception) -> Path:
        """Move a dropped file aside, with the reason beside it; returns where that stands."""
        reason = str(error)
        if isinstance(error, ManifestIncomplete):
            reason += f"\n\nA {FILE_NAME} to fill in where it says ?:\n\n{error.skeleton}"
        return self.shelf.reject(path, reason)

    def clear(self, path: Path) -> None:
        """Remove a file or folder that is no longer needed, if it is there and may be removed."""
        try:
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
        except OSError as error:
            logger.warning("%s cannot be removed: %s", path, error)

    def _tried(self, place: Path, manifest: Manifest, origin: str) -> Verdict:
        """What came of running the model, or the first of its variants that does not pass."""
        verdict = self._attempt(place / manifest.model, manifest, name=origin)
        for variant in manifest.offers[1:]:
            if verdict.ok:
                name = f"variant {variant.name} of {origin}"
                as_if = manifest.of_variant(variant)
                other = self._attempt(place / variant.model, as_if, name=name)
                verdict = verdict if other.ok else other
        return verdict

    def _signed(self, path: Path, labels: Path | None, place: Path) -> Path:
        """A signed file, copied where nobody changes it any more: what was checked is used."""
        if self._trusted is None:
            return path
        if path.is_dir() or labels is not None:
            raise ModelRejected(
                f"{path.name} is more than one file, but models.trusted_keys asks for signatures: "
                "put all into a zip, sign the zip and copy both"
            )
        content = read_file(path, self._limits.bytes)
        beside = path.with_name(path.name + SUFFIX)
        signature = read_file(beside, LARGEST) if beside.exists() else None
        comment = self._trusted.require_signed(content, signature, path.name)
        logger.info("%s is signed: %s", path.name, comment)
        (place / path.name).write_bytes(content)
        return place / path.name


def _recognized(bundle: Bundle) -> Recognition:
    count = None if bundle.labels is None else len(bundle.labels)
    return recognize(read_graph(bundle.model, bundle.origin), bundle.origin, labels=count)


def _manifest_text(bundle: Bundle, told: Recognition) -> str:
    try:
        return to_text(derive(bundle, told))
    except ManifestInvalid as error:
        raise ManifestIncomplete(str(error), to_text(skeleton(bundle, told))) from None
