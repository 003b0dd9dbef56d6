"""Large nets that teach a crop classifier, each only about faces it has not learnt from.

Where labels are wrong a net learns them by heart. So the faces are parted into two folds by person,
each teacher learns one fold and is asked about the other (cross-fitting, as in "Confident
Learning", arXiv 1911.00068): what it says of a wrong label was not learnt from that label.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from edge_runtime.compress.crop_net import CLASSES

FOLDS = 2


class _Block(nn.Module):
    """Two dense 3 x 3 convolutions added to their input (ResNet, arXiv 1512.03385)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            *_unit(channels, channels, 1), *_unit(channels, channels, 1, rectified=False)
        )

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(x + self.body(x))


class TeacherNet(nn.Module):
    """Luma in 0..1, [n, 1, side, side], to logits [n, 2]; dozens of times the small net's work."""

    def __init__(
        self, widths: Sequence[int] = (32, 64, 96), blocks: Sequence[int] = (1, 1, 2)
    ) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for before, width, count in zip((1, *widths), widths, blocks, strict=False):
            layers += [*_unit(before, width, 2), *(_Block(width) for _ in range(count))]
        self.trunk = nn.Sequential(*layers)
        self.drop = nn.Dropout(0.2)
        self.classify = nn.Linear(widths[-1], CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        """Logits; computed in bfloat16, half again as fast where the processor knows it."""
        with torch.autocast("cpu", torch.bfloat16):
            out: Tensor = self.classify(self.drop(self.trunk(x).mean((2, 3))))
        return out.float()


class Faculty(nn.Module):
    """One teacher a fold; teacher k has not learnt from fold k."""

    def __init__(self, teachers: Sequence[nn.Module]) -> None:
        super().__init__()
        self.teachers = nn.ModuleList(teachers).eval().requires_grad_(False)

    @torch.no_grad()
    def forward(self, inputs: Tensor, folds: Tensor) -> Tensor:
        """Logits [n, 2] for inputs of the folds [n]."""
        answers = inputs.new_zeros(len(inputs), CLASSES)
        for fold, teacher in enumerate(self.teachers):
            asked = folds == fold
            if bool(asked.any()):
                answers[asked] = teacher(inputs[asked])
        return answers


def _unit(before: int, width: int, stride: int, *, rectified: bool = True) -> list[nn.Module]:
    conv = nn.Conv2d(before, width, 3, stride, 1, bias=False)
    return [conv, nn.BatchNorm2d(width), *([nn.ReLU(inplace=True)] if rectified else [])]
