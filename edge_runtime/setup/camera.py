"""``camera``: where pictures come from, as ``source.uri`` says it."""

from __future__ import annotations

from edge_runtime.capture.uri import parse
from edge_runtime.masking import masked_uri
from edge_runtime.setup import settings_file
from edge_runtime.setup.step import Step, Values
from edge_runtime.setup.system import System


def _check(values: Values) -> None:
    parse(values["camera"])


def _apply(values: Values, system: System) -> str:
    uri = values["camera"]
    shown = masked_uri(uri)
    settings_file.change(system, "source.uri", uri, private=shown != uri)
    system.do("systemctl", "--no-block", "try-restart", "edge-runtime.service")
    return f"pictures come from {shown}"


CAMERA = Step(("camera",), _check, _apply)
