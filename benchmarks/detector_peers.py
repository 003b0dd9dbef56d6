"""Two well-known detectors with random weights: what `face-glance` is timed against.

They find nothing. What a net costs depends on its shapes, not on what its weights say. Like
`face-glance` they end with the maps of their heads: no anchors, no softmax, no suppression.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from edge_runtime.compress.layers import ConvUnit, SameConv2d, Separable

BOX = 4
COCO_CLASSES = 91
"""90, and one for nothing."""
POINTS = 12
"""Two coordinates for each of the six points BlazeFace marks."""

Maps = list[Tensor]
"""Of each head [n, h, w, boxes * values], finest first."""


class SsdMobileNet(nn.Module):
    """SSD-300 on MobileNet-v1, [n, 3, 300, 300] to box and class maps.

    As ssd_mobilenet_v1_coco of TensorFlow's detection zoo: width 1.0, 1 x 1 predictors on six maps
    of 19, 10, 5, 3, 2 and 1 cells a side, 3 or 6 boxes a cell (MobileNet, arXiv 1704.04861; SSD,
    arXiv 1512.02325).
    """

    SIDE = 300
    WIDTHS = (512, 1024, 512, 256, 256, 128)
    """Of the six maps."""
    BOXES = (3, 6, 6, 6, 6, 6)

    def __init__(self) -> None:
        super().__init__()
        fine = nn.Sequential(
            ConvUnit(3, 32, 3, 2),
            Separable(32, 64),
            Separable(64, 128, 3, 2),
            Separable(128, 128),
            Separable(128, 256, 3, 2),
            Separable(256, 256),
            Separable(256, 512, 3, 2),
            *(Separable(512, 512) for _ in range(5)),
        )
        coarse = nn.Sequential(Separable(512, 1024, 3, 2), Separable(1024, 1024))
        extra = (_narrow_then_wide(i, o) for i, o in pairwise(self.WIDTHS[1:]))
        self.stages = nn.ModuleList([fine, coarse, *extra])
        self.heads = _heads(self.WIDTHS, self.BOXES, (BOX, COCO_CLASSES))
        _start_lively(self)

    def forward(self, x: Tensor) -> Maps:
        return _maps(x, self.stages, self.heads)


class BlazeFace(nn.Module):
    """BlazeFace for near faces, [n, 3, 128, 128] to maps of boxes with points and of logits.

    The trunk of table 4 of arXiv 1907.05047; two boxes a cell at 16 x 16, six at 8 x 8.
    """

    SIDE = 128
    WIDTH, NARROW = 96, 24
    """Of double blocks, outside and between."""

    def __init__(self) -> None:
        super().__init__()
        fine = nn.Sequential(
            ConvUnit(3, 24, 5, 2),
            _Blaze(24, 24),
            _Blaze(24, 24),
            _Blaze(24, 48, stride=2),
            _Blaze(48, 48),
            _Blaze(48, 48),
            _Blaze(48, self.WIDTH, self.NARROW, stride=2),
            *(_Blaze(self.WIDTH, self.WIDTH, self.NARROW) for _ in range(2)),
        )
        coarse = nn.Sequential(
            _Blaze(self.WIDTH, self.WIDTH, self.NARROW, stride=2),
            *(_Blaze(self.WIDTH, self.WIDTH, self.NARROW) for _ in range(2)),
        )
        self.stages = nn.ModuleList([fine, coarse])
        self.heads = _heads((self.WIDTH, self.WIDTH), (2, 6), (BOX + POINTS, 1))
        _start_lively(self)

    def forward(self, x: Tensor) -> Maps:
        return _maps(x, self.stages, self.heads)


class _Blaze(nn.Module):
    """A BlazeBlock: 5 x 5 depthwise and 1 x 1, twice if it is narrow between, added to the input.

    Blocks of stride 2 add nothing here, which is in BlazeFace's favour: their pooled and padded
    shortcut would be written with transposes that the original does not pay for.
    """

    def __init__(self, inputs: int, outputs: int, narrow: int = 0, *, stride: int = 1) -> None:
        super().__init__()
        parts: list[nn.Module] = [SameConv2d(inputs, inputs, 5, stride, groups=inputs)]
        if narrow:
            parts += [ConvUnit(inputs, narrow), SameConv2d(narrow, narrow, 5, groups=narrow)]
        self.parts = nn.Sequential(*parts, ConvUnit(narrow or inputs, outputs, linear=True))
        self.adds = stride == 1

    def forward(self, x: Tensor) -> Tensor:
        found = self.parts(x)
        return functional.relu(x + found if self.adds else found)


def _narrow_then_wide(inputs: int, outputs: int) -> nn.Module:
    """SSD's way to a map half as large."""
    return nn.Sequential(ConvUnit(inputs, outputs // 2), ConvUnit(outputs // 2, outputs, 3, 2))


def _heads(
    widths: tuple[int, ...], boxes: tuple[int, ...], values: tuple[int, ...]
) -> nn.ModuleList:
    """By map one 1 x 1 predictor for each kind of value."""
    return nn.ModuleList(
        nn.ModuleList(SameConv2d(width, count * each, 1) for each in values)
        for width, count in zip(widths, boxes, strict=True)
    )


def _maps(x: Tensor, stages: nn.ModuleList, heads: nn.ModuleList) -> Maps:
    made = []
    for stage, predictors in zip(stages, heads, strict=True):
        x = stage(x)
        made += [predict(x).permute(0, 2, 3, 1) for predict in predictors]
    return made


@torch.no_grad()
def _start_lively(net: nn.Module) -> None:
    """He's start keeps values of ordinary size: numbers near zero may be slow to compute with."""
    for module in net.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
