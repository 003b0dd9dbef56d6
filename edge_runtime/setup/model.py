"""``model``: a file or folder of the card, copied to where models are dropped."""

from __future__ import annotations

import shutil
from pathlib import Path, PurePosixPath
from typing import Final

from edge_runtime.errors import ConfigError, SetupFailed
from edge_runtime.setup.settings_file import service_config
from edge_runtime.setup.step import Step, Values
from edge_runtime.setup.system import Account, System

_SPARE: Final = 64 << 20
"""Bytes that have to be left on the disk."""


def _check(values: Values) -> None:
    name = values["model"]
    place = PurePosixPath(name.replace("\\", "/"))
    if place.is_absolute() or ".." in place.parts or place.name.startswith(".") or ":" in name:
        raise ConfigError(
            f"model {name!r:.100} is no place on this card: write it as it lies beside edge.conf, "
            "such as models/mood.zip"
        )


def _apply(values: Values, system: System) -> str:
    place = PurePosixPath(values["model"].replace("\\", "/"))
    found = system.card / place
    if not found.exists():
        raise ConfigError(f"model {place} is not on this card: copy it beside edge.conf")
    account = system.service_account()
    config = service_config(system)
    folder = config.models.dir or config.state_dir / "models"
    system.folder(config.state_dir, mode=0o700, of=account)
    system.folder(folder, mode=0o700, of=account)
    _copy(found, folder / place.name, account, system)
    return f"{place.name} was handed in; the page's list of models says what became of it"


def _copy(found: Path, goal: Path, account: Account, system: System) -> None:
    """Under a name that is left alone until all of it is there."""
    part = goal.with_name(f".{goal.name}.part")
    files = [each for each in (found, *found.rglob("*")) if each.is_file()]
    try:
        needed = sum(each.stat().st_size for each in files)
        if shutil.disk_usage(goal.parent).free < needed + _SPARE:
            raise SetupFailed(
                f"model {found.name} does not fit: it has {needed / 2**20:.0f} MiB, and "
                f"{_SPARE >> 20} MiB have to stay free in {goal.parent}"
            )
        _remove(part)
        if found.is_dir():
            shutil.copytree(found, part)
        else:
            shutil.copyfile(found, part)
        for each in (part, *part.rglob("*")):
            each.chmod(0o700 if each.is_dir() else 0o600)
            system.chown(each, account.uid, account.gid)
        _remove(goal)
        part.replace(goal)
    except shutil.Error as error:
        raise SetupFailed(f"model {found.name} cannot be copied: {error.args[0][0][2]}") from error
    except OSError as error:
        raise SetupFailed(f"model {found.name} cannot be copied: {error.strerror}") from error


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


MODEL = Step(("model",), _check, _apply)
