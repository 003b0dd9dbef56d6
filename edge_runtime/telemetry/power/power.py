"""The PowerReader contract and the order of trust."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Protocol

from edge_runtime.telemetry.board import Board
from edge_runtime.telemetry.command import Command
from edge_runtime.telemetry.kernel_files import KernelFiles
from edge_runtime.telemetry.power.ina import InaPower
from edge_runtime.telemetry.power.model import model_of
from edge_runtime.telemetry.power.pmic import PmicPower
from edge_runtime.telemetry.power.rapl import RaplPower
from edge_runtime.types import Clock, Power


class PowerReader(Protocol):
    """One way to know the power."""

    def read(self, busy: float | None) -> Power | None:
        """The power now; None when this way cannot tell.

        ``busy`` is the share of busy core time since the last reading, 0 to 1, None when unknown.
        """


class TrustedPower:
    """Asks each reader in turn; the first that knows is believed."""

    def __init__(self, readers: Sequence[PowerReader]) -> None:
        self._readers = tuple(readers)

    def read(self, busy: float | None) -> Power | None:
        for reader in self._readers:
            power = reader.read(busy)
            if power is not None:
                return power
        return None


def power_of(
    board: Board,
    files: KernelFiles,
    run_command: Command,
    *,
    clock: Clock = time.monotonic,
    meter: str | None = None,
) -> TrustedPower:
    """Every way ``board`` may offer: external meter, PMIC, RAPL, model of the board.

    ``meter`` names the meter to believe by its I2C device (``1-0040``) where there are several.
    """
    readers: list[PowerReader] = [InaPower(files, meter=meter)]
    if board.name.startswith(("Raspberry Pi 5", "Raspberry Pi Compute Module 5")):
        readers.append(PmicPower(board, run_command, clock=clock))
    readers.append(RaplPower(files, clock=clock))
    model = model_of(board)
    if model is not None:
        readers.append(model)
    return TrustedPower(readers)
