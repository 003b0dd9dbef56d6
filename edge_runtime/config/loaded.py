"""The layers put together: later ones win, and each value keeps the name of its origin."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from edge_runtime.config.config import CAMERA, KEYS, LISTS, Config
from edge_runtime.config.layer import (
    Layer,
    environment_layer,
    file_layer,
    flag_layer,
    misfits,
    nested,
)
from edge_runtime.config.problem import Problem
from edge_runtime.errors import ConfigError

SYSTEM_FILE = Path("/etc/edge-runtime/config.toml")


@dataclass(frozen=True, slots=True)
class Loaded:
    """A config and where it came from."""

    config: Config
    origins: Mapping[str, str]
    """Every dotted key to ``default``, a file and line, a variable, or ``command line``.

    Of cameras and rules also ``camera.0.name`` and so on, counted from 0.
    """
    file: Path | None
    """The config file that was read; None when there is none."""


def load_config(
    path: Path | None, environ: Mapping[str, str], overrides: Mapping[str, object]
) -> Config:
    """The settings in force; see ``read_config``."""
    return read_config(path, environ, overrides).config


def read_config(
    path: Path | None,
    environ: Mapping[str, str],
    overrides: Mapping[str, object],
    *,
    system_file: Path = SYSTEM_FILE,
) -> Loaded:
    """Defaults, then one file, then the environment, then ``overrides`` (dotted keys).

    The file is ``path``, else ``$EDGE_RUNTIME_CONFIG``, else the first that exists of
    ``$XDG_CONFIG_HOME/edge-runtime/config.toml`` and ``system_file``. Raises ConfigError, whose
    sentence names the place, the key, the value, what was expected and the nearest valid key.
    """
    home = _home(environ)
    file = path or _file_in_force(environ, home, system_file)
    layers = [
        _state_layer(environ, home),
        file_layer(file, home) if file else Layer(),
        environment_layer(environ, home),
        flag_layer(overrides, home),
    ]
    _refuse([problem for layer in layers for problem in layer.problems])
    values, origins = _together(layers)
    # Layers that are right one by one may still contradict each other.
    _refuse(misfits(values, origins))
    config = Config.model_validate(nested(values))
    listed = {key: origin for key, origin in origins.items() if key.partition(".")[0] in LISTS}
    return Loaded(config, {key: origins.get(key, "default") for key in KEYS} | listed, file)


def problems_in_file(path: Path) -> tuple[Problem, ...]:
    """All that is wrong in a config file, one sentence each; empty when it is right."""
    return file_layer(path, None).problems


def _together(layers: Sequence[Layer]) -> tuple[dict[str, object], dict[str, str]]:
    """Later layers win; a later ``source.uri`` is one camera instead of the file's several."""
    values: dict[str, object] = {}
    origins: dict[str, str] = {}
    for layer in layers:
        if "source.uri" in layer.values:
            values.pop(CAMERA, None)
            origins = {key: at for key, at in origins.items() if key.partition(".")[0] != CAMERA}
        values |= layer.values
        origins |= layer.origins
    return values, origins


def _refuse(problems: list[Problem]) -> None:
    if not problems:
        return
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    raise ConfigError(f"{problems[0]}{more}")


def _home(environ: Mapping[str, str]) -> Path | None:
    return Path(environ["HOME"]) if environ.get("HOME") else None


def _file_in_force(environ: Mapping[str, str], home: Path | None, system_file: Path) -> Path | None:
    if named := environ.get("EDGE_RUNTIME_CONFIG"):
        return Path(named)
    personal = _xdg_folder(environ, home, "XDG_CONFIG_HOME", ".config")
    places = [personal / "config.toml"] if personal else []
    return next((place for place in (*places, system_file) if place.is_file()), None)


def _state_layer(environ: Mapping[str, str], home: Path | None) -> Layer:
    """Where state goes unless somebody says: systemd's StateDirectory=, else the user's own."""
    if given := environ.get("STATE_DIRECTORY"):
        # systemd separates several folders with colons; the first is ours.
        folder, origin = Path(given.split(":")[0]), "environment STATE_DIRECTORY"
    elif personal := _xdg_folder(environ, home, "XDG_STATE_HOME", ".local/state"):
        folder, origin = personal, "default"
    else:
        return Layer()
    return Layer({"state_dir": folder}, {"state_dir": origin})


def _xdg_folder(
    environ: Mapping[str, str], home: Path | None, variable: str, otherwise: str
) -> Path | None:
    """Our folder as the XDG base directory specification places it."""
    if environ.get(variable):
        return Path(environ[variable]) / "edge-runtime"
    return home / otherwise / "edge-runtime" if home else None
