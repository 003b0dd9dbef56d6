"""Key ``prune_channels``: whole filters go, and every tensor that depended on them shrinks.

Filters with the smallest L2 norm (Li et al., "Pruning filters for efficient ConvNets", arXiv
1608.08710). What hangs together through additions, norms and depthwise layers is found by the
dependency graph of torch-pruning (Fang et al., "DepGraph", arXiv 2301.12900).
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from edge_runtime.compress.weighted_layers import weighted_layers
from edge_runtime.errors import LayerUnsuited, TargetUnreachable


def prune_channels(
    net: nn.Module,
    example: Tensor,
    share: float,
    *,
    keep: Sequence[str] = (),
    together: bool = False,
    multiple: int = 1,
) -> nn.Module:
    """A copy with about ``share`` of the channels of every layer removed.

    The layers that make the outputs keep theirs, and so do those whose names match ``keep``.
    ``together`` compares all layers with one another instead of pruning each alike; channel counts
    are kept multiples of ``multiple``. Raises LayerUnsuited when nothing can be removed.
    """
    if not 0 < share < 1:
        raise TargetUnreachable(f"share {share} of the channels: expected above 0, below 1")
    pruned = copy.deepcopy(net).eval()
    fixed = list(weighted_layers(pruned, keep).values()) + _answering(pruned, example)
    _pruner(pruned, example, share, fixed, together, multiple).step()
    if _parameters(pruned) == _parameters(net):
        raise LayerUnsuited(
            f"no channel could be removed at share {share}: every layer makes an output, is kept, "
            f"or has too few channels for multiples of {multiple}"
        )
    _refuse_other_outputs(net, pruned, example)
    return pruned.train(net.training)


def _pruner(
    net: nn.Module, example: Tensor, share: float, fixed: list[Any], together: bool, multiple: int
) -> Any:
    import torch_pruning

    return torch_pruning.pruner.MagnitudePruner(
        net,
        example,
        importance=torch_pruning.importance.MagnitudeImportance(p=2),
        pruning_ratio=share,
        max_pruning_ratio=max(share, 0.9),
        global_pruning=together,
        ignored_layers=fixed,
        round_to=multiple if multiple > 1 else None,
    )


def _answering(net: nn.Module, example: Tensor) -> list[nn.Module]:
    """The layers whose results reach an output through nothing but shape changes.

    Found by value: a layer answers when one of the net's outputs holds just its numbers.
    """
    results: list[tuple[nn.Module, Tensor]] = []
    hooks = [
        layer.register_forward_hook(lambda m, _, out: results.append((m, out)))
        for layer in weighted_layers(net).values()
    ]
    with torch.no_grad():
        outputs = _flat(net(example))
    for hook in hooks:
        hook.remove()
    return [m for m, made in results if any(_same_numbers(made, out) for out in outputs)]


def _refuse_other_outputs(net: nn.Module, pruned: nn.Module, example: Tensor) -> None:
    """A last layer hidden behind a softmax is not found by its numbers; then names are needed."""
    with torch.no_grad():
        shapes = [[t.shape for t in _flat(each(example))] for each in (net, pruned)]
    if shapes[0] != shapes[1]:
        raise LayerUnsuited(
            f"pruning would change the outputs from {[tuple(s) for s in shapes[0]]} to "
            f"{[tuple(s) for s in shapes[1]]}: name the layers that make them in keep"
        )


def _same_numbers(a: Tensor, b: Tensor) -> bool:
    return a.numel() == b.numel() and torch.equal(a.flatten(), b.flatten())


def _flat(outputs: Any) -> list[Tensor]:
    if isinstance(outputs, Tensor):
        return [outputs]
    parts = outputs.values() if isinstance(outputs, dict) else outputs
    return [tensor for part in parts for tensor in _flat(part)]


def _parameters(net: nn.Module) -> int:
    return sum(p.numel() for p in net.parameters())
