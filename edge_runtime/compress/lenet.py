"""The two nets of the compression papers, and training them by the clock of epochs.

LeNet-300-100 (266,610 parameters) and LeNet-5 in Caffe's shape (431,080 parameters), as pruned and
shared by Han, Mao and Dally, "Deep Compression", arXiv 1510.00149, tables 1 to 3.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional

BATCH = 128

Loss = Callable[[Tensor, Tensor], Tensor]


def lenet_300_100() -> nn.Sequential:
    """[n, 1, 28, 28] -> [n, 10]: two hidden layers."""
    return nn.Sequential(
        nn.Flatten(),
        nn.Linear(784, 300),
        nn.ReLU(),
        nn.Linear(300, 100),
        nn.ReLU(),
        nn.Linear(100, 10),
    )


def lenet_5() -> nn.Sequential:
    """[n, 1, 28, 28] -> [n, 10]: 20 and 50 filters of 5 x 5, then 500 neurons.

    As in Caffe the convolutions have no activation of their own: the largest of four is enough.
    """
    return nn.Sequential(
        nn.Conv2d(1, 20, 5),
        nn.MaxPool2d(2),
        nn.Conv2d(20, 50, 5),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(800, 500),
        nn.ReLU(),
        nn.Linear(500, 10),
    )


NETS: dict[str, Callable[[], nn.Sequential]] = {
    "lenet-300-100": lenet_300_100,
    "lenet-5": lenet_5,
}


class Lesson:
    """One stage of training: Adam whose rate falls to nothing along a cosine."""

    def __init__(
        self, net: nn.Module, pictures: Tensor, labels: Tensor, *, epochs: int, rate: float
    ) -> None:
        self.net, self.pictures, self.labels = net, pictures, labels
        self.epochs = epochs
        self.steps = epochs * (len(labels) // BATCH)
        self.step = 0
        self._optimizer = torch.optim.Adam(net.parameters(), rate)
        self._falling = torch.optim.lr_scheduler.CosineAnnealingLR(self._optimizer, self.steps)

    @property
    def progress(self) -> float:
        """Share of the steps done, 0 to 1."""
        return self.step / self.steps

    def run(self, loss: Loss = functional.cross_entropy) -> Iterator[float]:
        """Train; yields the mean loss after every epoch, so that the caller may look on."""
        for _ in range(self.epochs):
            self.net.train()
            total = sum(self._learn(batch, loss) for batch in self._batches())
            yield total / (len(self.labels) // BATCH)

    def _batches(self) -> Iterator[Tensor]:
        order = torch.randperm(len(self.labels))
        whole = len(order) // BATCH * BATCH
        yield from order[:whole].split(BATCH)

    def _learn(self, batch: Tensor, loss: Loss) -> float:
        self._optimizer.zero_grad()
        value = loss(self.net(self.pictures[batch]), self.labels[batch])
        value.backward()
        self._optimizer.step()
        self._falling.step()
        self.step += 1
        return value.item()


@torch.no_grad()
def wrong(net: nn.Module, pictures: Tensor, labels: Tensor) -> int:
    """How many pictures the net gets wrong."""
    net.eval()
    parts = zip(pictures.split(500), labels.split(500), strict=True)
    return sum(int((net(some).argmax(1) != right).sum()) for some, right in parts)
