"""Training by epochs, which can be stopped and started again at any time.

Every epoch draws from its own seed, so a run that was interrupted and resumed ends with the same
weights as one that was not.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional

from edge_runtime.compress.samples import Samples
from edge_runtime.errors import TrainingDiverged

Loss = Callable[[Tensor, Tensor, Tensor], Tensor]
"""From inputs, the net's outputs and labels to a scalar."""


class Hook(Protocol):
    """Changes weights after every step of the optimizer."""

    def step(self, progress: float) -> None:
        """``progress``: 0 to 1 of the training."""


class Keeper(Protocol):
    """Where a training keeps its state; see checkpoint.py."""

    def load(self) -> dict[str, Any] | None:
        """What was kept last."""

    def save(self, state: dict[str, Any]) -> None:
        """Keep this instead."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """How long and how fast. The rate falls along a cosine."""

    epochs: int
    rate: float = 1e-3
    batch: int = 128
    weight_decay: float = 0.0
    seed: int = 1


def plain_loss(inputs: Tensor, outputs: Tensor, labels: Tensor) -> Tensor:
    """Cross entropy of logits [n, classes] against labels [n]."""
    del inputs
    return functional.cross_entropy(outputs, labels)


class Training:
    """A net, its optimizer and how far they are."""

    def __init__(
        self,
        net: nn.Module,
        samples: Samples,
        schedule: Schedule,
        *,
        loss: Loss = plain_loss,
        hooks: Sequence[Hook] = (),
        also: nn.Module | None = None,
    ) -> None:
        """``also``: a module trained beside the net, such as the regressors of hints."""
        self._parts = nn.ModuleList([net] if also is None else [net, also])
        # Channels last is half again as fast for small convolutions on one core.
        self._parts.to(memory_format=torch.channels_last)
        self._net, self._samples, self._plan = net, samples, schedule
        self._loss, self._hooks = loss, hooks
        self._optimizer = torch.optim.AdamW(
            self._parts.parameters(), schedule.rate, weight_decay=schedule.weight_decay
        )
        self._steps = samples.steps(schedule.batch)
        self._epoch = 0

    def run(self, keeper: Keeper, on_progress: Callable[[float], None]) -> None:
        """Train to the end. Raises TrainingDiverged as soon as a loss is no number."""
        self._resume(keeper.load())
        while self._epoch < self._plan.epochs:
            self._run_epoch(on_progress)
            self._epoch += 1
            keeper.save(self._state())
        self._net.eval()

    def _run_epoch(self, on_progress: Callable[[float], None]) -> None:
        seed = self._plan.seed * 1000 + self._epoch
        torch.manual_seed(seed)  # for dropout; the batches draw from their own
        self._net.train()
        for number, batch in enumerate(self._samples.batches(self._plan.batch, seed)):
            progress = (self._epoch + min(1.0, (number + 1) / self._steps)) / self._plan.epochs
            self._learn(*batch, progress)
            on_progress(progress)

    def _learn(self, inputs: Tensor, labels: Tensor, progress: float) -> None:
        for group in self._optimizer.param_groups:
            group["lr"] = self._plan.rate * (0.01 + 0.99 * (1 + math.cos(math.pi * progress)) / 2)
        inputs = _channels_last(inputs)
        loss = self._loss(inputs, self._net(inputs), labels)
        self._refuse_no_number(float(loss.detach()))
        self._optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self._optimizer.step()
        for hook in self._hooks:
            hook.step(progress)

    def _refuse_no_number(self, loss: float) -> None:
        if not math.isfinite(loss):
            raise TrainingDiverged(
                f"the loss became {loss} in epoch {self._epoch + 1} of {self._plan.epochs}: "
                f"lower the rate (now {self._plan.rate:g}) or look for bad inputs"
            )

    def _state(self) -> dict[str, Any]:
        return {
            "epoch": self._epoch,
            "parts": self._parts.state_dict(),
            "optimizer": self._optimizer.state_dict(),
        }

    def _resume(self, state: dict[str, Any] | None) -> None:
        if state is not None:
            self._parts.load_state_dict(state["parts"])
            self._optimizer.load_state_dict(state["optimizer"])
            self._epoch = state["epoch"]


def _channels_last(inputs: Tensor) -> Tensor:
    """The same values [n, ...]; pictures lie in memory as the net's filters do."""
    return inputs.contiguous(memory_format=torch.channels_last) if inputs.dim() == 4 else inputs
