from __future__ import annotations

import contextlib
import importlib.util
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_runtime.engine.flatbuffer import Bytes, FlatbufferDamaged, Table
from edge_runtime.engine.graph import BITS, TYPES, Graph
from edge_runtime.engine.litert import load_library
from edge_runtime.engine.operators import NAMES, WITHOUT_MACS, operator_name
from edge_runtime.engine.schema import read_graph
from edge_runtime.errors import LibraryMissing, ModelRejected
from tests.engine.damage import flipped, outcome, truncated
from tests.engine.tiny_tflite import MAKERS, MODELS, made

INT8 = (MODELS / "int8_logits.tflite").read_bytes()

has_litert = pytest.mark.skipif(
    importlib.util.find_spec("ai_edge_litert") is None, reason="ai-edge-litert is not installed"
)


def graph_of(name: str) -> Graph:
    return read_graph((MODELS / f"{name}.tflite").read_bytes(), name)


@has_litert
@pytest.mark.parametrize("name", MAKERS)
def test_committed_models_are_what_their_script_makes(name: str) -> None:
    assert (MODELS / f"{name}.tflite").read_bytes() == made(name)


@has_litert
def test_names_and_types_are_the_schemas() -> None:
    from ai_edge_litert import schema_py_generated as schema

    codes = {k: v for k, v in vars(schema.BuiltinOperator).items() if k[0] != "_"}
    assert {name: index for index, name in enumerate(NAMES)} == codes
    kinds = {k: v for k, v in vars(schema.TensorType).items() if k[0] != "_"}
    assert {name: index for index, name in enumerate(TYPES)} == kinds


def test_free_operators_exist() -> None:
    assert set(NAMES) >= WITHOUT_MACS


def test_unknown_operator_is_called_by_its_number() -> None:
    assert operator_name(9999) == "BUILTIN_9999"


def test_every_type_numpy_knows_has_its_size() -> None:
    for name, bits in BITS.items():
        if name.lower() in np.sctypeDict and bits is not None:
            assert np.dtype(name.lower()).itemsize * 8 == bits


def test_reads_tensors_operators_and_interface() -> None:
    graph = graph_of("int8_logits")
    assert [operator.name for operator in graph.operators] == ["CONV_2D", "FULLY_CONNECTED"]
    kernel = next(tensor for tensor in graph.tensors if tensor.name == "kernel")
    assert (kernel.shape, kernel.type, len(kernel.scales)) == ((4, 3, 3, 1), "INT8", 4)
    (picture,), (logits,) = graph.interface()
    assert (picture.name, picture.shape, picture.scale) == ("image", (1, 8, 8, 1), 1.0)
    assert (logits.shape, logits.zero_point) == ((1, 3), 3)


def test_operators_are_counted() -> None:
    counts = graph_of("uint8_to_float").operator_counts()
    assert counts == {"QUANTIZE": 1, "CONV_2D": 1, "FULLY_CONNECTED": 1, "DEQUANTIZE": 1}


@pytest.mark.parametrize("content", [b"", b"TFL3", b"\x00" * 40, b"PK\x03\x04" + b"x" * 100])
def test_other_files_are_refused(content: bytes) -> None:
    with pytest.raises(ModelRejected, match=r"thing is no \.tflite model: it lacks the mark"):
        read_graph(content, "thing")


def test_every_truncation_is_refused() -> None:
    for length in range(len(INT8)):
        with pytest.raises(ModelRejected):
            read_graph(INT8[:length], "cut")


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.integers(0, len(INT8) - 1), st.integers(0, 255)), max_size=8))
def test_damage_is_refused_or_harmless_but_never_an_accident(hits: list[tuple[int, int]]) -> None:
    damaged = bytearray(INT8)
    for place, value in hits:
        damaged[place] = value
    # Refusing is right, reading is right (a weight was hit): any other error fails the test.
    with contextlib.suppress(ModelRejected):
        read_graph(bytes(damaged), "damaged")


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200))
def test_noise_is_refused(noise: bytes) -> None:
    with pytest.raises(ModelRejected):
        read_graph(struct.pack("<I", 8) + b"TFL3" + noise, "noise")


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_truncated_files_never_reach_the_interpreter() -> None:
    needs_interpreter()
    assert {outcome(each) for each in truncated(INT8, 15, seed=5)} == {"refused"}


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_damaged_files_do_not_crash_the_interpreter() -> None:
    needs_interpreter()
    seen = {outcome(each) for each in flipped(INT8, 25, seed=5)}
    assert seen <= {"refused", "ran"}


def needs_interpreter() -> None:
    """Import it before forking, so that each child need not."""
    try:
        load_library("auto")
    except LibraryMissing as error:
        pytest.skip(str(error))


def table(fields: list[int], body: bytes) -> bytes:
    """A root offset, a vtable and one table of ``body`` whose fields lie where ``fields`` says."""
    size = 4 + 2 * len(fields)
    vtable = struct.pack("<HH", size, 4 + len(body)) + struct.pack(f"<{len(fields)}H", *fields)
    return struct.pack("<I", 4 + size) + vtable + struct.pack("<i", size) + body


def test_absent_fields_are_defaults() -> None:
    root = Table.root(Bytes(table([0, 4], struct.pack("<i", -7))))
    assert (root.number(0, "i", 5), root.number(1, "i"), root.number(9, "i", 3)) == (5, -7, 3)
    assert (root.text(0), root.tables(0), root.table(0), root.numbers(0, "<i4")) == (
        "",
        (),
        None,
        None,
    )


@pytest.mark.parametrize(
    ("fields", "body", "read"),
    [
        ([4], struct.pack("<I", 1000), "text"),
        ([4], struct.pack("<I", 0xFFFFFFFF), "table"),
        ([4], struct.pack("<II", 4, 0x7FFFFFFF), "tables"),
        ([4], struct.pack("<II", 4, 3) + b"abcd", "text"),
        ([4], struct.pack("<II", 4, 2) + b"\xff\xfe\x00\x00", "text"),
    ],
)
def test_references_out_of_the_file_are_refused(fields: list[int], body: bytes, read: str) -> None:
    root = Table.root(Bytes(table(fields, body)))
    with pytest.raises(FlatbufferDamaged):
        getattr(root, read)(0)


def test_field_outside_its_table_is_refused() -> None:
    with pytest.raises(FlatbufferDamaged, match="outside itself"):
        Table.root(Bytes(table([400], b"\0" * 4)))


def test_models_are_small_enough_to_be_committed() -> None:
    assert all(Path(file).stat().st_size < 3000 for file in MODELS.glob("*.tflite"))


def entangled(count: int) -> bytes:
    """A file in which ``count`` graphs share one list of ``count`` tensors: 8 bytes of file for
    each, but ``count`` squared tables to read."""
    empty = struct.pack("<HHi", 4, 4, 4)  # vtable of a table without fields, the table
    outputs = struct.pack("<II", 1, 0)
    shared = 8 + 14 + 2 + 16 + 4 + 4 * count + 12 + 16
    graph = shared - 16
    root = struct.pack("<7HHi3I", 14, 16, 0, 4, 8, 0, 12, 0, 16, shared - 28, 8, shared - 36)
    # Slots 0 tensors, 2 outputs, 3 operators:
    fields = struct.pack("<6Hi3I", 12, 16, 4, 0, 8, 12, 12, 12, 8 + 4 + 4 * count, 4)
    listed = struct.pack("<I", count)
    graphs = listed + b"".join(struct.pack("<I", graph - 44 - 4 * i) for i in range(count))
    table = shared + 4 + 4 * count + len(outputs) + 4
    tables = listed + b"".join(struct.pack("<I", table - shared - 4 - 4 * i) for i in range(count))
    head = struct.pack("<I4s", 24, b"TFL3")
    return head + root + graphs + fields + tables + outputs + empty


def test_a_small_file_cannot_ask_for_endless_reading() -> None:
    assert len(read_graph(entangled(10), "entangled").tensors) == 10
    with pytest.raises(ModelRejected, match="more than any model needs"):
        read_graph(entangled(10_000), "entangled")
