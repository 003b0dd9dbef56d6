"""The net of the crop classifiers: one face at 48 x 48 grey bytes, and what it is of two things."""

from __future__ import annotations

from torch import Tensor, nn

from edge_runtime.compress.layers import ConvUnit, Residual, Separable

SIDE = 48
CLASSES = 2


class CropNet(nn.Module):
    """Luma in 0..1, [n, 1, 48, 48], to logits [n, 2]. Other sizes of at least 16 px work too."""

    def __init__(self, stem: int = 16, middle: int = 40, width: int = 72) -> None:
        super().__init__()
        self.trunk = nn.Sequential(
            ConvUnit(1, stem, 3, 2),
            Residual(stem),  # the corners of a mouth are two pixels wide: look before halving again
            Separable(stem, middle, 3, 2),
            Residual(middle),
            Residual(middle),
            Separable(middle, width, 3, 2),
            Residual(width),
            Residual(width),
            Residual(width),
        )
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.drop = nn.Dropout(0.1)
        self.classify = nn.Linear(width, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        """Logits, in the order of the manifest's labels."""
        out: Tensor = self.classify(self.drop(self.pool(self.trunk(x)).flatten(1)))
        return out


def first_smile_net() -> nn.Module:
    """The narrower net of which the shipped ``smile`` was made."""
    return CropNet(16, 32, 64)
