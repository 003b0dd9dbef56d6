"""Batch norms taken into the convolutions before them, for nets of any make."""

from __future__ import annotations

from typing import Any

import torch
from torch import fx, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from edge_runtime.compress.layers import ConvUnit, SameConv2d
from edge_runtime.compress.quantize import POOLS, flattened, fold_batch_norm
from edge_runtime.compress.weighted_layers import replace_layer


def without_units(net: nn.Module) -> nn.Module:
    """A copy whose ConvUnits are plain sequences of a convolution (norm folded) and activation."""
    plain = fold_batch_norm(net)
    for name, unit in [(n, m) for n, m in plain.named_modules() if isinstance(m, ConvUnit)]:
        replace_layer(plain, name, nn.Sequential(unit.conv, unit.act))
    return plain.train(net.training)


def fold_norms(net: nn.Module) -> nn.Module:
    """A traced copy in which no convolution is followed by a batch norm of its own.

    Flattening is written in the form ``QuantizedNet`` knows: a call behind an average, where it
    moves nothing, and a layer elsewhere.
    """
    plain = without_units(net).eval()
    graph = _Tracer().trace(plain)
    for node in list(graph.nodes):
        node.type = None  # annotations may be strings, and a trace with those cannot be stored
        before = node.args[0] if node.op == "call_module" and node.args else None
        if _is(plain, node, nn.BatchNorm2d) and _is(plain, before, nn.Conv2d):
            _fuse(plain, graph, before, node)
        elif _flattens(plain, node):
            _rewrite_flatten(plain, graph, node)
    return fx.GraphModule(plain, graph)


class _Tracer(fx.Tracer):
    """SameConv2d chooses its padding by the input's size, which a trace cannot follow."""

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return isinstance(m, SameConv2d) or super().is_leaf_module(m, module_qualified_name)


def _is(net: nn.Module, node: Any, kind: type[Any]) -> bool:
    called = isinstance(node, fx.Node) and node.op == "call_module"
    return called and isinstance(net.get_submodule(str(node.target)), kind)


def _fuse(net: nn.Module, graph: Any, conv: Any, norm: Any) -> None:
    if len(conv.users) > 1:
        return  # somebody reads the convolution's own result
    fused = fuse_conv_bn_eval(
        net.get_submodule(str(conv.target)), net.get_submodule(str(norm.target))
    )
    replace_layer(net, str(conv.target), fused)
    norm.replace_all_uses_with(conv)
    graph.erase_node(norm)


def _flattens(net: nn.Module, node: Any) -> bool:
    return flattened(node) or _is(net, node, nn.Flatten)


def _rewrite_flatten(net: nn.Module, graph: Any, node: Any) -> None:
    source = node.args[0]
    with graph.inserting_before(node):
        if any(_is(net, source, kind) for kind in POOLS):
            made = graph.call_function(torch.flatten, (source, 1))
        else:
            name = f"flatten_{node.name}"
            net.add_module(name, nn.Flatten())
            made = graph.call_module(name, (source,))
    node.replace_all_uses_with(made)
    graph.erase_node(node)
