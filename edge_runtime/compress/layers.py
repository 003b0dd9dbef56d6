"""The few layers the nets are built of; each maps to one or two TFLite operators."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


def same_padding(size: int, kernel: int, stride: int) -> tuple[int, int]:
    """Zeros before and after one axis as TFLite's SAME does it: the odd one goes behind."""
    total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


class SameConv2d(nn.Conv2d):
    """A convolution padded as TFLite's SAME, so that the exported net needs no PAD operator."""

    def forward(self, x: Tensor) -> Tensor:
        """[n, c, h, w] -> [n, k, ceil(h / stride), ceil(w / stride)]."""
        (top, bottom), (left, right) = (
            same_padding(x.shape[2 + axis], self.kernel_size[axis], self.stride[axis])
            for axis in (0, 1)
        )
        if top == bottom and left == right:
            return functional.conv2d(
                x, self.weight, self.bias, self.stride, (top, left), 1, self.groups
            )
        x = functional.pad(x, (left, right, top, bottom))
        return functional.conv2d(x, self.weight, self.bias, self.stride, 0, 1, self.groups)


class ConvUnit(nn.Module):
    """Convolution, batch norm and (unless `linear`) ReLU6: a bounded range quantizes well."""

    def __init__(
        self, inputs: int, outputs: int, kernel: int = 1, stride: int = 1, linear: bool = False
    ) -> None:
        super().__init__()
        groups = inputs if kernel > 1 and inputs == outputs else 1
        self.conv = SameConv2d(inputs, outputs, kernel, stride, groups=groups, bias=False)
        self.norm = nn.BatchNorm2d(outputs)
        self.act: nn.Module = nn.Identity() if linear else nn.ReLU6(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        """[n, c, h, w] -> [n, k, h / stride, w / stride]."""
        out: Tensor = self.act(self.norm(self.conv(x)))
        return out


def depthwise(channels: int, kernel: int = 3, stride: int = 1) -> ConvUnit:
    """One small filter per channel."""
    return ConvUnit(channels, channels, kernel, stride)


class Separable(nn.Sequential):
    """Depthwise then pointwise (MobileNet, arXiv 1704.04861)."""

    def __init__(self, inputs: int, outputs: int, kernel: int = 3, stride: int = 1) -> None:
        super().__init__(depthwise(inputs, kernel, stride), ConvUnit(inputs, outputs))


class Residual(nn.Module):
    """A separable convolution added to its input, then ReLU6 (one fused ADD)."""

    def __init__(self, channels: int, kernel: int = 3) -> None:
        super().__init__()
        self.spatial = depthwise(channels, kernel)
        self.mixing = ConvUnit(channels, channels, linear=True)
        self.act = nn.ReLU6(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        """Shape in, same shape out."""
        out: Tensor = self.act(x + self.mixing(self.spatial(x)))
        return out


def enlarge(x: Tensor, like: Tensor) -> Tensor:
    """A coarse map stretched over a finer one: RESIZE_BILINEAR, half-pixel centres."""
    return functional.interpolate(x, size=like.shape[2:], mode="bilinear", align_corners=False)


def parameter_count(net: nn.Module) -> int:
    """Weights and biases, batch norm included."""
    return sum(p.numel() for p in net.parameters())


def fix_seed(seed: int) -> None:
    """Make torch's draws repeatable."""
    torch.manual_seed(seed)
