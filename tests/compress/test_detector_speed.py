"""What the detector is timed against has the shape it claims, and the arithmetic of ratios."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("ai_edge_litert")
pytest.importorskip("flatbuffers")

from torch import nn  # noqa: E402

from benchmarks.detector_peers import BlazeFace, SsdMobileNet  # noqa: E402
from benchmarks.detector_speed import spread  # noqa: E402
from edge_runtime.compress.layers import parameter_count  # noqa: E402
from edge_runtime.compress.weighted_layers import layer_costs  # noqa: E402


def shapes_of(net: nn.Module, side: int) -> list[tuple[int, ...]]:
    with torch.no_grad():
        return [tuple(each.shape) for each in net.eval()(torch.rand(1, 3, side, side))]


def macs(net: nn.Module, side: int) -> int:
    return sum(each.macs for each in layer_costs(net, torch.rand(1, 3, side, side)))


def test_ssd_has_the_zoo_s_maps_and_size() -> None:
    net = SsdMobileNet()
    cells = [19, 10, 5, 3, 2, 1]
    boxes = [3, 6, 6, 6, 6, 6]
    wanted = [
        (1, side, side, count * values)
        for side, count in zip(cells, boxes, strict=True)
        for values in (4, 91)
    ]
    assert shapes_of(net, 300) == wanted
    # 6.8 M parameters, 1.2 G multiply-accumulates: MobileNet (arXiv 1704.04861), table 13.
    assert parameter_count(net) == pytest.approx(6.8e6, rel=0.01)
    assert macs(net, 300) == pytest.approx(1.24e9, rel=0.01)


def test_blazeface_has_the_paper_s_anchors_and_work() -> None:
    net = BlazeFace()
    assert shapes_of(net, 128) == [(1, 16, 16, 32), (1, 16, 16, 2), (1, 8, 8, 96), (1, 8, 8, 6)]
    assert 30e6 < macs(net, 128) < 36e6


def test_a_spread_is_median_and_outer_twentieths() -> None:
    assert spread([float(n) for n in range(101)]) == {"median": 50.0, "p5": 5.0, "p95": 95.0}
