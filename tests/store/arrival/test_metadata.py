from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_runtime.engine.schema import read_graph
from edge_runtime.errors import ManifestInvalid, ModelRejected
from edge_runtime.store.arrival.metadata import Metadata, read_metadata
from tests.store.arrival.drops import metadata, tiny, with_metadata

LABELS = {"labels.txt": b"cat\ndog\n"}


def test_model_without_metadata_says_nothing() -> None:
    assert read_metadata(tiny("float_logits"), "x") == Metadata()


def test_normalization_labels_and_words_are_found() -> None:
    content = metadata(description="Tells pets.", version="v2", license="Apache 2.0")
    model = with_metadata(tiny("float_rgb_softmax"), content, LABELS)
    assert (
        read_graph(model, "x").interface() == read_graph(tiny("float_rgb_softmax"), "x").interface()
    )
    found = read_metadata(model, "x")
    assert found.scaling == pytest.approx((1 / 127.5, -1))
    assert found.labels == ("cat", "dog")
    assert (found.description, found.version, found.licence) == ("Tells pets.", "v2", "Apache 2.0")


def test_model_with_metadata_still_runs() -> None:
    pytest.importorskip("ai_edge_litert")
    from edge_runtime.engine.engine import open_content

    plain, packed = tiny("int8_softmax"), with_metadata(tiny("int8_softmax"), metadata(), LABELS)
    answers = []
    for model in (plain, packed):
        with open_content(model, name="x") as engine:
            engine.input()[:] = 7
            engine.invoke()
            answers.append(np.array(engine.output()))
    assert np.array_equal(answers[0], answers[1])


def test_equal_channels_are_one_normalization() -> None:
    content = metadata(mean=(0.0, 0.0, 0.0), std=(255.0, 255.0, 255.0), label_files=())
    found = read_metadata(with_metadata(tiny("float_rgb_softmax"), content), "x")
    assert found.scaling == pytest.approx((1 / 255, 0))
    assert found.labels is None


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (metadata(mean=(123.7, 116.3, 103.5), label_files=()), "x was trained with another normal"),
        (metadata(std=(0.0,), label_files=()), "the metadata in x is damaged (its normalization"),
        (metadata(mean=(float("nan"),), label_files=()), "its normalization has the numbers nan"),
        (metadata(), "the zip behind x is no whole zip file"),
        (b"abcdefgh" * 4, "it lacks the mark M001 at its byte 4"),
        (None, "it has 0 bytes, expected 8 to"),
        (bytes(4) + b"M001" + bytes(2_000_000), "it has 2000008 bytes"),
    ],
)
def test_what_cannot_be_used_is_refused_in_words(content: bytes | None, said: str) -> None:
    with pytest.raises(ModelRejected) as error:
        read_metadata(with_metadata(tiny("float_logits"), content), "x")
    assert said in str(error.value)


def test_label_file_that_is_not_packed_is_named() -> None:
    model = with_metadata(tiny("float_logits"), metadata(), {"other.txt": b"a"})
    with pytest.raises(ModelRejected, match=r"names the label file 'labels\.txt', which is not"):
        read_metadata(model, "x")


def test_label_file_is_bounded() -> None:
    labels = {"labels.txt": b"a\n" * 200_000}
    with pytest.raises((ManifestInvalid, ModelRejected), match="expected at most"):
        read_metadata(with_metadata(tiny("float_logits"), metadata(), labels), "x")


WHOLE = with_metadata(tiny("float_logits"), metadata(description="d"), LABELS)
HEAD = len(WHOLE) - len(tiny("float_logits")) - 400


@settings(max_examples=60)
@given(at=st.integers(8, HEAD), flip=st.integers(1, 255))
def test_flipped_bytes_are_understood_or_refused(at: int, flip: int) -> None:
    damaged = bytearray(WHOLE)
    damaged[at] ^= flip
    try:
        read_graph(bytes(damaged), "x")
        read_metadata(bytes(damaged), "x")
    except (ModelRejected, ManifestInvalid) as error:
        assert "x" in str(error)  # noqa: PT017 - both ways are right
