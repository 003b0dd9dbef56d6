"""The board's green light, which says that ``edge.conf`` needs somebody to look.

A Pi's activity light flickers with the card. After a line that could not be used it blinks evenly
instead, one second on and one off, until the next start.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Final

from edge_runtime.setup.system import System

logger = logging.getLogger(__name__)

_NAMES: Final = ("ACT", "led0")
"""What kernels call it; older ones the second."""
_HALF_MS: Final = 1000


def blink(system: System) -> bool:
    """Let it blink; False where the board has no such light, or its kernel no such trigger."""
    light = next((each for each in _lights(system) if each.is_dir()), None)
    if light is None:
        return False
    try:
        if (
            "timer"
            not in (light / "trigger").read_text().replace("[", " ").replace("]", " ").split()
        ):
            system.run(("modprobe", "ledtrig-timer"))
        for name, value in (("trigger", "timer"), ("delay_on", _HALF_MS), ("delay_off", _HALF_MS)):
            (light / name).write_text(f"{value}\n")
    except OSError as error:
        # It is said on the screen, the page and the card as well.
        logger.warning("the light %s does not blink: %s", light.name, error.strerror)
        return False
    return True


def _lights(system: System) -> tuple[Path, ...]:
    return tuple(system.at(f"sys/class/leds/{name}") for name in _NAMES)
