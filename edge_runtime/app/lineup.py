"""Which model plays which role: what was activated on the shelf, else what the settings name.

Roles are ``detector`` and, for each classifier, ``classifier/`` with its name.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Final

from edge_runtime.config import Config
from edge_runtime.errors import ModelError, ModelMissing, ModelRejected
from edge_runtime.store.catalogue import Catalogue, Holding, is_path
from edge_runtime.store.manifest import DETECTORS, Kind, Manifest
from edge_runtime.store.model import Model, load_model
from edge_runtime.store.shelf.shelf import Shelf
from edge_runtime.store.shelf.version import Version

log = logging.getLogger(__name__)

DETECTOR: Final = "detector"
CLASSIFIER: Final = "classifier/"

SHIPPED: Final = "shipped"
"""Stands for the digits of a model that is not on the shelf."""


def role_of(manifest: Manifest) -> str:
    """The role a model can play. Raises ModelRejected when the runtime has none for its kind."""
    if manifest.kind in DETECTORS:
        return DETECTOR
    if manifest.kind == "crop-classifier":
        return CLASSIFIER + manifest.name
    raise ModelRejected(
        f"model {manifest.name} is of kind {manifest.kind}, which is kept but has no role in "
        f"the pipeline: expected one of {', '.join((*DETECTORS, 'crop-classifier'))}"
    )


class Lineup:
    """Looks up who plays what."""

    def __init__(self, config: Config, shelf: Shelf | None = None) -> None:
        self._catalogue = Catalogue(config.models.dirs)
        self._shelf = shelf
        self._settled = {DETECTOR: config.detector.model} | {
            CLASSIFIER + self._name(text): text for text in config.classify.turns
        }
        self._every = config.classify.every_n_frames
        self._turns = {
            CLASSIFIER + self._name(text): every for text, every in config.classify.turns.items()
        }

    def all(self) -> dict[str, Model]:
        """Role to model, the detector first.

        An activated model that cannot be read any more is left out with a warning, and what the
        settings name plays its role. Raises ModelError when that cannot be read either.
        """
        found = {role: self.activated(role) or self._named(role) for role in self._settled}
        for role in self._shelf.choices() if self._shelf else ():
            if role not in found and (model := self.activated(role)) is not None:
                found[role] = model
        return found

    def of(self, role: str, version: Version | None) -> Model | None:
        """The model of a version, as the shelf remembers it; None: nobody plays the role then.

        Raises ModelMissing, ManifestInvalid or ModelRejected.
        """
        if version is None:
            return self._named(role) if role in self._settled else None
        if version.digest is None or self._shelf is None:
            return self._catalogue.find(version.name, kinds=_kinds(role))
        return load_model(self._shelf.folder(version))

    def activated(self, role: str) -> Model | None:
        """What was activated on the shelf; None, with a warning, where it cannot be read."""
        version = self._shelf.active(role) if self._shelf else None
        if version is None:
            return None
        try:
            return self.of(role, version)
        except ModelError as error:
            log.warning("%s was activated as %s but cannot be used: %s", version, role, error)
            return None

    def settled(self, role: str) -> str | None:
        """How the settings name the model of a role; None: they do not."""
        return self._settled.get(role)

    def named(self, text: str) -> tuple[str, Version]:
        """Role and version that a person means by ``name``, ``name/digits`` or ``name/shipped``.

        Without digits it is the latest version on the shelf, else the model of that name that came
        with the program. Raises ModelMissing or ModelRejected.
        """
        name, _, digits = text.partition("/")
        if digits == SHIPPED:
            return role_of(self._catalogue.find(name).manifest), Version(name, None)
        versions = self._shelf.versions(name) if self._shelf else ()
        for shelved in versions:
            if str(shelved.version.digest).startswith(digits):
                return role_of(load_model(shelved.folder).manifest), shelved.version
        if digits:
            there = ", ".join(str(shelved.version) for shelved in versions) or "none"
            raise ModelMissing(f"{text} is not on the shelf; of {name} there is {there}")
        return role_of(self._catalogue.find(name).manifest), Version(name, None)

    def kept(self, text: str) -> Version:
        """The one version on the shelf that ``name/digits`` means. Raises ModelMissing."""
        name, _, digits = text.partition("/")
        known = [each.version for each in self._shelf.versions(name)] if self._shelf else []
        meant = [each for each in known if digits and str(each.digest).startswith(digits)]
        if len(meant) != 1:
            there = ", ".join(map(str, known)) or "none"
            raise ModelMissing(f"{text} means no version on the shelf; of {name} there is {there}")
        return meant[0]

    def find(self, text: str, kinds: Sequence[Kind]) -> Model:
        """A model that plays no role in the loop, by name or place. Raises ModelError."""
        return self._catalogue.find(text, kinds=kinds)

    def holdings(self) -> tuple[Holding, ...]:
        """The models that came with the program or lie in the settings' folders."""
        return self._catalogue.holdings()

    def every(self, role: str) -> int:
        """In one of how many frames each face is shown to a classifier."""
        return self._turns.get(role, self._every)

    def _name(self, text: str) -> str:
        """Settings may name a model by its place."""
        return self._catalogue.find(text).manifest.name if is_path(text) else text

    def _named(self, role: str) -> Model:
        return self._catalogue.find(self._settled[role], kinds=_kinds(role))


def _kinds(role: str) -> Sequence[Kind]:
    return DETECTORS if role == DETECTOR else ("crop-classifier",)
