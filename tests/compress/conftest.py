"""Torch on one thread: the nets here are tiny, and waiting for other cores takes longer."""

from __future__ import annotations

import importlib.util

if importlib.util.find_spec("torch"):
    import torch

    torch.set_num_threads(1)
