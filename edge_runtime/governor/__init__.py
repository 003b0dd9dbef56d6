"""Health and measured speed in, an Allowance out: what is given up so that limits are kept."""

from __future__ import annotations

from edge_runtime.governor.frame_cap import FrameCap
from edge_runtime.governor.governor import Governor
from edge_runtime.governor.limits import Limits

__all__ = ["FrameCap", "Governor", "Limits"]
