"""The two nets of the compression papers.

LeNet-300-100 (266,610 parameters) and LeNet-5 in Caffe's shape (431,080 parameters), as pruned and
shared by Han, Mao and Dally, "Deep Compression", arXiv 1510.00149, tables 1 to 3.
"""

from __future__ import annotations

from collections.abc import Callable

from torch import nn


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
