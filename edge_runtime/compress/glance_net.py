"""The face detector `face-glance`: one look at 160 x 120 grey bytes, faces at strides 8, 16 and 32.

A MobileNet-like trunk of residual separable convolutions, a top-down path without weights of its
own (coarse maps are stretched and added, all are equally wide), and one tower and head shared by
the three strides: a face looks alike at every size, so the weights that recognize it need to be
stored once.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from edge_runtime.compress.layers import (
    ConvUnit,
    Residual,
    SameConv2d,
    Separable,
    depthwise,
    enlarge,
)

HEIGHT, WIDTH = 120, 160
STRIDES = (8, 16, 32)
GRIDS = ((15, 20), (8, 10), (4, 5))
"""Rows and columns of each stride's map."""
BLOCKS = ((5, 5, 3), (3, 3), ())
"""Kernels of the residual blocks by stride: small faces are hard, the finest map gets most."""


class GlanceNet(nn.Module):
    """Luma in 0..1, [n, 1, 120, 160], to three pairs of maps, finest first."""

    def __init__(
        self,
        stem: int = 16,
        early: int = 32,
        width: int = 48,
        blocks: tuple[tuple[int, ...], ...] = BLOCKS,
    ) -> None:
        super().__init__()
        self.stem = ConvUnit(1, stem, 3, 2)
        self.early = nn.Sequential(Separable(stem, early, 3, 2), Residual(early))
        inputs = (early, width, width)
        self.stages = nn.ModuleList(
            nn.Sequential(
                Separable(i, width, 5 if i != width else 3, 2),
                *(Residual(width, kernel) for kernel in kernels),
            )
            for i, kernels in zip(inputs, blocks, strict=True)
        )
        self.join = nn.ReLU6(inplace=True)
        self.tower = SharedTower(width)
        self.logit = SameConv2d(width, 1, 1)
        self.box = SameConv2d(width, 4, 1)
        _start_calm(self)

    def forward(self, x: Tensor) -> list[tuple[Tensor, Tensor]]:
        """By stride the logit [n, 1, h, w] and dx, dy, log w, log h [n, 4, h, w] in strides."""
        x = self.early(self.stem(x))
        maps: list[Tensor] = []
        for stage in self.stages:
            x = stage(x)
            maps.append(x)
        fine, middle, coarse = maps
        middle = self.join(middle + enlarge(coarse, middle))
        fine = self.join(fine + enlarge(middle, fine))
        return [(self.logit(y), self.box(y)) for y in self.tower((fine, middle, coarse))]


class SharedTower(nn.Module):
    """One separable convolution applied to every stride with the same weights and statistics."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.spatial = depthwise(width)
        self.mixing = ConvUnit(width, width)

    def forward(self, maps: tuple[Tensor, ...]) -> list[Tensor]:
        """Maps of different sizes in, the same sizes out."""
        if not self.training:
            return [self.mixing(self.spatial(y)) for y in maps]
        # In training all strides share one batch for the norm, or its running statistics would
        # fit none of them.
        sizes = [y.shape[2:].numel() for y in maps]
        rows = torch.cat([self.spatial.conv(y).flatten(2) for y in maps], 2).unsqueeze(2)
        rows = self.mixing(self.spatial.act(self.spatial.norm(rows)))
        parts = rows.squeeze(2).split(sizes, 2)
        return [part.unflatten(2, tuple(y.shape[2:])) for part, y in zip(parts, maps, strict=True)]


def flatten_heads(heads: list[tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor]:
    """All cells of all strides in one row: logits [n, 400], raw boxes [n, 400, 4]."""
    logits = torch.cat([logit.flatten(1) for logit, _ in heads], 1)
    return logits, torch.cat([box.flatten(2) for _, box in heads], 2).transpose(1, 2)


def cells() -> tuple[Tensor, Tensor]:
    """Every cell's centre [400, 2] (x, y in pixels) and stride [400]."""
    centres, strides = [], []
    for stride, (rows, columns) in zip(STRIDES, GRIDS, strict=True):
        y, x = torch.meshgrid(torch.arange(rows) + 0.5, torch.arange(columns) + 0.5, indexing="ij")
        centres.append(torch.stack([x.flatten(), y.flatten()], 1) * stride)
        strides.append(torch.full((rows * columns,), float(stride)))
    return torch.cat(centres), torch.cat(strides)


def decode(raw: Tensor, centres: Tensor, strides: Tensor) -> Tensor:
    """Raw boxes [n, 400, 4] to centre x, centre y, width, height in pixels."""
    middle = centres + raw[..., :2] * strides[:, None]
    return torch.cat([middle, raw[..., 2:].clamp(-4, 3).exp() * strides[:, None]], -1)


def _start_calm(net: GlanceNet) -> None:
    """Begin by doubting every cell, with boxes of two strides: no first steps wasted on noise."""
    nn.init.normal_(net.logit.weight, std=0.01)
    nn.init.constant_(net.logit.bias, -4.0)
    nn.init.normal_(net.box.weight, std=0.01)
    with torch.no_grad():
        net.box.bias.copy_(torch.tensor([0.0, 0.0, 0.6, 0.7]))
