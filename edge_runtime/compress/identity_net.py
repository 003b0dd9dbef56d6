"""The net of `face-id`: from a face of 64 x 64 grey bytes to 128 numbers that say whose it is."""

from __future__ import annotations

from torch import Tensor, nn

from edge_runtime.compress.layers import ConvUnit, Residual, Separable

SIDE = 64
SIZE = 128
_LAST_PX = 8


class IdentityNet(nn.Module):
    """Luma in 0..1, [n, 1, 64, 64], to [n, size], to be compared by cosine."""

    def __init__(
        self, stem: int = 16, early: int = 32, middle: int = 64, width: int = 128, size: int = SIZE
    ) -> None:
        super().__init__()
        self.trunk = nn.Sequential(
            ConvUnit(1, stem, 3, 2),
            ConvUnit(stem, early, 3),  # dense while channels are few: that is where faces differ
            ConvUnit(early, middle, 3, 2),
            *(Residual(middle) for _ in range(4)),
            Separable(middle, width, 3, 2),
            *(Residual(width) for _ in range(3)),
        )
        # A filter as large as the map knows eyes from mouths; an average does not (MobileFaceNet,
        # arXiv 1804.07573, section 3.2).
        self.whole = ConvUnit(width, width, _LAST_PX, _LAST_PX, linear=True)
        self.pool = nn.AdaptiveAvgPool2d(1)  # of one pixel: what may be flattened
        self.embed = nn.Linear(width, size)

    def forward(self, x: Tensor) -> Tensor:
        """Not yet of length 1."""
        out: Tensor = self.embed(self.pool(self.whole(self.trunk(x))).flatten(1))
        return out
