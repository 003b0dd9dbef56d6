"""The service's config file, changed one setting at a time."""

from __future__ import annotations

from typing import Final

from edge_runtime.config import Config, load_config, problems_in_file, with_setting
from edge_runtime.errors import ConfigError
from edge_runtime.setup.system import System

PLACE: Final = "etc/edge-runtime/config.toml"


def change(system: System, key: str, value: str, *, private: bool = False) -> None:
    """Set ``key``, or leave the file alone and raise ConfigError.

    ``private``: the value holds a password, so the file becomes readable by the service only.
    """
    file = system.at(PLACE)
    mode = file.stat().st_mode & 0o777 if file.exists() else 0o644
    text = system.text(PLACE)
    changed = with_setting(text, key, value)
    _refuse_wrong(system, changed)
    if private:
        system.write(file, changed, mode=mode & 0o640, gid=system.service_account().gid)
    else:
        system.write(file, changed, mode=mode)


def service_config(system: System) -> Config:
    """The settings the service has; the environment of whoever calls this does not count."""
    file = system.at(PLACE)
    state = {"STATE_DIRECTORY": str(system.at("var/lib/edge-runtime"))}
    return load_config(file, state, {}) if file.exists() else load_config(None, state, {})


def _refuse_wrong(system: System, text: str) -> None:
    """A file that the service would not start with never comes into its place."""
    trial = system.at(PLACE).with_name(".trial.toml")
    system.write(trial, text, mode=0o600)
    try:
        problems = problems_in_file(trial)
    finally:
        trial.unlink()
    if problems:
        raise ConfigError(str(problems[0]).replace(str(trial), f"/{PLACE}"))
