from __future__ import annotations

import pytest

from edge_runtime.engine.cost import Cost, cost_of
from edge_runtime.engine.graph import Graph, GraphTensor, Operator
from edge_runtime.engine.schema import read_graph
from tests.engine.tiny_tflite import MODELS


def tensor(*shape: int, type: str = "FLOAT32", stored: int = 0, buffer: int = 0) -> GraphTensor:
    return GraphTensor("t", shape, type, (), (), 0, buffer, stored)


def cost(
    operator: str, *tensors: GraphTensor, transposed: tuple[bool, bool] = (False, False)
) -> Cost:
    """Of a graph with one operator, whose last tensor is what it writes."""
    last = len(tensors) - 1
    step = Operator(operator, tuple(range(last)), (last,), transposed)
    return cost_of(Graph(tensors, (step,), (0,), (last,), 0))


def test_strided_convolution() -> None:
    # 4x4x4 outputs, each of 3x3x1 products; dense: 3 outputs of 64 products.
    graph = read_graph((MODELS / "int8_logits.tflite").read_bytes(), "int8_logits")
    weights = 4 * 9 + 4 + 3 * 64 + 3
    assert cost_of(graph) == Cost(weights, 4 * 4 * 4 * 9 + 3 * 64, ())


def test_float_and_int8_files_of_one_net_cost_the_same() -> None:
    files = [(MODELS / f"{kind}_logits.tflite").read_bytes() for kind in ("float", "int8")]
    one, other = (cost_of(read_graph(content, "net")) for content in files)
    assert one == other


def test_grouped_convolution_counts_a_groups_share() -> None:
    weights = tensor(8, 3, 3, 2)
    assert cost("CONV_2D", tensor(1, 4, 4, 4), weights, tensor(1, 4, 4, 8)).macs == 128 * 18


def test_depthwise_convolution_looks_at_one_channel() -> None:
    weights = tensor(1, 5, 5, 8)
    assert cost("DEPTHWISE_CONV_2D", tensor(1, 6, 6, 8), weights, tensor(1, 6, 6, 8)).macs == 7200


def test_transposed_convolution_spreads_each_input() -> None:
    parts = (tensor(4), tensor(3, 2, 2, 8), tensor(1, 5, 5, 8), tensor(1, 10, 10, 3))
    assert cost("TRANSPOSE_CONV", *parts).macs == 5 * 5 * 8 * 2 * 2 * 3


@pytest.mark.parametrize(("left", "transposed"), [((2, 3, 5), False), ((2, 5, 3), True)])
def test_matrices(left: tuple[int, ...], transposed: bool) -> None:
    parts = (tensor(*left), tensor(2, 5, 7), tensor(2, 3, 7))
    assert cost("BATCH_MATMUL", *parts, transposed=(transposed, False)).macs == 2 * 3 * 7 * 5


def test_moving_and_adding_is_free() -> None:
    assert cost("ADD", tensor(4), tensor(4), tensor(4)) == Cost(0, 0, ())


def test_what_is_not_counted_is_named() -> None:
    assert cost("SVDF", tensor(4), tensor(4)).uncounted == ("SVDF",)
    assert cost("CUSTOM:Mine", tensor(4), tensor(4)).uncounted == ("CUSTOM:Mine",)


def test_open_shapes_make_macs_unknown() -> None:
    parts = (tensor(-1, 8), tensor(3, 8), tensor(-1, 3))
    assert cost("FULLY_CONNECTED", *parts).macs is None


def test_shared_weights_count_once_and_shapes_not_at_all() -> None:
    shared = tensor(2, 2, stored=16, buffer=1)
    shape = tensor(2, type="INT32", stored=8, buffer=2)
    assert cost("ADD", shared, shared, shape, tensor(2, 2)).parameters == 4
