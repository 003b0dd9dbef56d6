"""One stage of training a small classifier whose pictures fit in memory."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

BATCH = 128
TEMPERATURE = 4.0
_MOVED_TOGETHER = 8
"""Groups of a batch; the pictures of a group are moved by the same step."""


@dataclass(frozen=True)
class Batch:
    """What one step learns from."""

    numbers: Tensor
    """Places [n] among all pictures."""
    pictures: Tensor
    """[n, c, h, w], as they are shown to the net."""
    labels: Tensor
    """[n]."""


Loss = Callable[[Tensor, Batch], Tensor]
"""Of the net's answers [n, k] to a batch."""


class Lesson:
    """AdamW whose rate falls to nothing along a cosine."""

    def __init__(
        self,
        net: nn.Module,
        pictures: Tensor,
        labels: Tensor,
        *,
        epochs: int,
        rate: float,
        shift: int = 0,
    ) -> None:
        """``shift``: pictures are moved by up to so many pixels, what leaves one side enters the
        other; fit for pictures with an empty margin.
        """
        # Channels last is twice as fast for small convolutions on one core.
        self.net = net.to(memory_format=torch.channels_last)
        self.pictures, self.labels, self.shift = pictures, labels, shift
        self.epochs, self.step = epochs, 0
        self.steps = epochs * (len(labels) // BATCH)
        self._optimizer = torch.optim.AdamW(net.parameters(), rate, weight_decay=0.0)
        self._falling = torch.optim.lr_scheduler.CosineAnnealingLR(self._optimizer, self.steps)

    @property
    def progress(self) -> float:
        """Share of the steps done, 0 to 1."""
        return self.step / self.steps

    def run(
        self, loss: Loss, before_step: Callable[[Lesson], None] | None = None
    ) -> Iterator[float]:
        """Train; yields the mean loss after every epoch, so that the caller may look on.

        Raises ValueError when the loss is no number any more.
        """
        for _ in range(self.epochs):
            self.net.train()
            losses = [self._learn(numbers, loss, before_step) for numbers in self._drawn()]
            mean = sum(losses) / len(losses)
            if not math.isfinite(mean):
                raise ValueError(f"the loss became {mean} by step {self.step}: lower the rate")
            yield mean

    def _drawn(self) -> Iterator[Tensor]:
        order = torch.randperm(len(self.labels))
        yield from order[: len(order) // BATCH * BATCH].split(BATCH)

    def _learn(
        self, numbers: Tensor, loss: Loss, before_step: Callable[[Lesson], None] | None
    ) -> float:
        if before_step is not None:
            before_step(self)
        self._optimizer.zero_grad()
        pictures = _moved(self.pictures[numbers], self.shift)
        pictures = pictures.contiguous(memory_format=torch.channels_last)
        value = loss(self.net(pictures), Batch(numbers, pictures, self.labels[numbers]))
        value.backward()
        self._optimizer.step()
        self._falling.step()
        self.step += 1
        return value.item()


def _moved(pictures: Tensor, shift: int) -> Tensor:
    if not shift:
        return pictures
    groups = pictures.chunk(_MOVED_TOGETHER)
    steps = torch.randint(-shift, shift + 1, (len(groups), 2)).tolist()
    moved = (group.roll(step, (2, 3)) for group, step in zip(groups, steps, strict=True))
    return torch.cat(list(moved))


def labelled(answers: Tensor, batch: Batch) -> Tensor:
    """A Loss: cross-entropy with the labels."""
    return functional.cross_entropy(answers, batch.labels)


def taught(teacher: nn.Module, share: float) -> Loss:
    """``share`` of the loss is the distance to what a teacher says of the batch's pictures."""
    teacher = teacher.eval().to(memory_format=torch.channels_last)

    def loss(answers: Tensor, batch: Batch) -> Tensor:
        with torch.no_grad():
            said = teacher(batch.pictures)
        return _between(answers, batch.labels, said, share)

    return loss


def told(said: Tensor, share: float) -> Loss:
    """As ``taught``, by what the teacher said of all the pictures [n, k] beforehand.

    Only for pictures that are shown as they are.
    """
    return lambda answers, batch: _between(answers, batch.labels, said[batch.numbers], share)


def _between(answers: Tensor, labels: Tensor, said: Tensor, share: float) -> Tensor:
    """Softened answers against softened answers: arXiv 1503.02531, section 2."""
    softened = (answers / TEMPERATURE).log_softmax(1)
    soft = (said / TEMPERATURE).softmax(1)
    distance = functional.kl_div(softened, soft, reduction="batchmean")
    hard = functional.cross_entropy(answers, labels)
    return (1 - share) * hard + share * TEMPERATURE**2 * distance


@torch.no_grad()
def answers_of(net: nn.Module, pictures: Tensor) -> Tensor:
    """What the net says of every picture [n, k]."""
    net.eval()
    return torch.cat([net(some) for some in pictures.split(500)])


def wrong(net: nn.Module, pictures: Tensor, labels: Tensor) -> int:
    """How many pictures the net gets wrong."""
    return int((answers_of(net, pictures).argmax(1) != labels).sum())
