"""What the program is going to do, as far as the doctor needs to know."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """From the config in force."""

    config_file: Path | None
    """None: only defaults, environment and flags."""
    source_uris: tuple[str, ...]
    """Of every camera."""
    state_dir: Path
    web_address: tuple[str, int] | None
    """Host and port; None when there is no page."""
    models: tuple[str, ...]
    load_model: Callable[[str], str]
    """Says what a model is, in a few words. Raises ModelError."""

    @property
    def wants_pi_camera(self) -> bool:
        return any(uri.startswith("picamera:") for uri in self.source_uris)

    @property
    def wants_a_camera(self) -> bool:
        return any(uri.startswith(("picamera:", "v4l2:")) for uri in self.source_uris)
