"""The net of `face-points`: where five points of a face are in a 48 x 48 grey crop."""

from __future__ import annotations

from torch import Tensor, nn

from edge_runtime.compress.layers import ConvUnit, Residual, SameConv2d, Separable

SIDE = 48
POINTS = 5
_LAST_PX = 6


class PointsNet(nn.Module):
    """Luma in 0..1, [n, 1, 48, 48], to [n, 10]: x and y of each point as shares of the side."""

    def __init__(self, stem: int = 12, middle: int = 24, width: int = 48) -> None:
        super().__init__()
        self.trunk = nn.Sequential(
            ConvUnit(1, stem, 3, 2),
            Residual(stem),
            Separable(stem, middle, 3, 2),
            Residual(middle),
            Residual(middle),
            Separable(middle, width, 3, 2),
            Residual(width),
            Residual(width),
        )
        # A filter as large as the map: an average would forget where things are. No batch norm,
        # for it would move every answer with the other faces of the batch.
        self.whole = SameConv2d(width, width, _LAST_PX, _LAST_PX, groups=width)
        self.pool = nn.AdaptiveAvgPool2d(1)  # of one pixel: what may be flattened
        self.place = nn.Linear(width, 2 * POINTS)
        nn.init.constant_(self.place.bias, 0.5)

    def forward(self, x: Tensor) -> Tensor:
        """Eye, eye, nose, corner, corner of the mouth; the picture's left first."""
        out: Tensor = self.place(self.pool(self.whole(self.trunk(x))).flatten(1))
        return out
