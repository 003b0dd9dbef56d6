"""Training by the clock: so many minutes, then the slow average of the weights.

A course can be stopped and started again; it goes on where it last kept its state.
"""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from edge_runtime.compress.distortion import Random
from edge_runtime.errors import TrainingDiverged
from edge_runtime.types import Clock

EMA_DECAY = 0.999
WARMUP_STEPS = 200
KEEP_EVERY_S = 60.0

Loss = Callable[[nn.Module, Random], Tensor]
"""Draws a batch, shows it to the net, returns a scalar."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How long and how fast. The rate falls along a cosine of the time."""

    minutes: float
    rate: float
    weight_decay: float
    seed: int


class Course:
    """A net, its optimizer, its slow average, and how far they are."""

    def __init__(
        self, net: nn.Module, plan: Plan, kept: Path, clock: Clock = time.monotonic
    ) -> None:
        """``kept``: the file of its state."""
        self._net = net.to(memory_format=torch.channels_last)
        self._average = copy.deepcopy(self._net)
        self._plan, self._kept, self._clock = plan, kept, clock
        self._optimizer = torch.optim.AdamW(
            net.parameters(), plan.rate, weight_decay=plan.weight_decay
        )
        self._seconds, self._step = 0.0, 0
        if kept.exists():
            self._resume(torch.load(kept, weights_only=True))

    @property
    def progress(self) -> float:
        """0 at the start, 1 when the time is used up."""
        return min(self._seconds / (60 * self._plan.minutes), 1.0)

    def run(self, loss: Loss, on_progress: Callable[[float], None]) -> nn.Module:
        """The average after all the minutes. Raises TrainingDiverged when a loss is no number."""
        rng = np.random.default_rng([self._plan.seed, self._step])
        self._net.train()
        began, saved = self._clock(), self._seconds
        while self.progress < 1:
            self._learn(loss(self._net, rng))
            now = self._clock()
            self._seconds, began = self._seconds + now - began, now
            if self.progress >= 1 or self._seconds - saved >= KEEP_EVERY_S:
                self._keep()
                saved = self._seconds
            on_progress(self.progress)
        return self._average.eval()

    def _learn(self, loss: Tensor) -> None:
        if not math.isfinite(float(loss.detach())):
            raise TrainingDiverged(
                f"the loss became {float(loss.detach())} in step {self._step + 1}: lower the rate "
                f"(now {self._plan.rate:g}) or look for bad inputs"
            )
        warm = min(1.0, (self._step + 1) / WARMUP_STEPS)
        for group in self._optimizer.param_groups:
            group["lr"] = self._plan.rate * warm * (1 + math.cos(math.pi * self.progress)) / 2
        self._optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self._optimizer.step()
        self._step += 1
        self._follow()

    @torch.no_grad()
    def _follow(self) -> None:
        decay = min(EMA_DECAY, self._step / (10 + self._step))
        slow, fast = (
            [each for each in net.state_dict().values() if each.is_floating_point()]
            for net in (self._average, self._net)
        )
        torch._foreach_lerp_(slow, fast, 1 - decay)

    def _keep(self) -> None:
        state = {
            "net": self._net.state_dict(), "average": self._average.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "seconds": self._seconds, "step": self._step,
        }  # fmt: skip
        fresh = self._kept.with_suffix(".new")
        torch.save(state, fresh)
        fresh.replace(self._kept)

    def _resume(self, state: dict[str, Any]) -> None:
        self._net.load_state_dict(state["net"])
        self._average.load_state_dict(state["average"])
        self._optimizer.load_state_dict(state["optimizer"])
        self._seconds, self._step = state["seconds"], state["step"]
