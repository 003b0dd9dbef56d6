"""Where models are found: the user's folders, then those that came with the program."""

from __future__ import annotations

import difflib
import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from edge_runtime.errors import ModelError, ModelMissing, ModelRejected
from edge_runtime.store.manifest import FILE_NAME, Kind, read_manifest
from edge_runtime.store.model import Model, load_model
from edge_runtime.store.package import is_model_file

logger = logging.getLogger(__name__)

PACKAGE: Final = Path(__file__).resolve().parent.parent


class Holding(NamedTuple):
    """A model's folder and what came of reading it."""

    folder: Path
    model: Model | None
    problem: ModelError | None
    """Why ``model`` is None."""


class Catalogue:
    """Looks models up by name. A name in an earlier folder hides the same name in a later one."""

    def __init__(self, models_dirs: Sequence[str | Path] = (), *, packaged: Path | None = None):
        own = packaged or packaged_models()
        self.roots = (*(Path(each) for each in models_dirs), *((own,) if own else ()))
        """The folders of model folders, in the order they are looked through."""

    def holdings(self) -> tuple[Holding, ...]:
        """Every model folder, broken ones with their problem."""
        return tuple(hold(folder) for folder in self._folders())

    def all(self) -> tuple[Model, ...]:
        """Every usable model; what is broken is logged."""
        models = []
        for holding in self.holdings():
            if holding.model is None:
                logger.warning("model folder %s is left out: %s", holding.folder, holding.problem)
            else:
                models.append(holding.model)
        return tuple(models)

    def find(self, name: str, *, kinds: Sequence[Kind] = ()) -> Model:
        """The model called ``name``, or the one at a path to a model's folder or file.

        Raises ModelMissing (with what there is), ManifestInvalid, or ModelRejected, also for one
        whose kind is none of ``kinds``.
        """
        path = Path(name)
        model = load_model(_folder_at(path)) if is_path(name) else self._named(name)
        if kinds and model.manifest.kind not in kinds:
            raise ModelRejected(
                f"model {name} is of kind {model.manifest.kind}, expected {' or '.join(kinds)}: "
                "choose another model"
            )
        return model

    def _named(self, name: str) -> Model:
        for folder in self._folders():
            # A folder that carries the name speaks for it, also when its manifest is broken.
            if folder.name == name or _name_in(folder) == name:
                return load_model(folder)
        raise ModelMissing(self._missing(name))

    def _missing(self, name: str) -> str:
        names = sorted({_name_in(folder) or folder.name for folder in self._folders()})
        near = difflib.get_close_matches(name, names, 1)
        hint = f"; did you mean {near[0]}?" if near else ""
        where = " or ".join(str(root) for root in self.roots) or "any folder (none is set)"
        there = f"there are {', '.join(names)}" if names else "there are none"
        return f"there is no model {name!r} in {where}: {there}{hint}"

    def _folders(self) -> Iterator[Path]:
        for root in self.roots:
            if root.is_dir():
                yield from sorted(file.parent for file in root.glob(f"*/{FILE_NAME}"))
            else:
                logger.warning("models folder %s does not exist", root)


def is_path(name: str) -> bool:
    """Whether ``name`` is meant as a path: model names hold no slash and do not end like files."""
    return "/" in name or name.startswith(".") or is_model_file(name)


def packaged_models() -> Path | None:
    """The models that came with the program: inside an installed package, or in a checkout."""
    inside, beside = PACKAGE / "models", PACKAGE.parent / "models"
    if inside.is_dir():
        return inside
    in_checkout = (PACKAGE.parent / "pyproject.toml").is_file() and beside.is_dir()
    return beside if in_checkout else None


def _folder_at(path: Path) -> Path:
    folder = path.parent if is_model_file(path) else path
    if not folder.is_dir():
        raise ModelMissing(f"there is no model folder {folder}")
    if path != folder and read_manifest(folder / FILE_NAME).model != path.name:
        raise ModelRejected(f"{folder / FILE_NAME} describes another file than {path.name}")
    return folder


def hold(folder: Path) -> Holding:
    """A model's folder, or what is wrong with it."""
    try:
        return Holding(folder, load_model(folder), None)
    except ModelError as error:
        return Holding(folder, None, error)


def _name_in(folder: Path) -> str | None:
    try:
        return read_manifest(folder / FILE_NAME).name
    except ModelError as error:
        logger.debug("%s", error)
        return None
