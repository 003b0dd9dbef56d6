from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_runtime.errors import ManifestInvalid
from edge_runtime.store.arrival.labels import distinct, read_labels


@pytest.mark.parametrize(
    ("content", "labels"),
    [
        (b"cat\ndog\n\n", ("cat", "dog")),
        (b"\xef\xbb\xbfcat\r\ndog\r\n", ("cat", "dog")),
        (b"0 Class A\n1 Class B\n", ("Class A", "Class B")),
        (b"0: cat\n1: dog\n", ("cat", "dog")),
        (b"0  person\n1  bicycle\n3  plane\n", ("person", "bicycle", "???", "plane")),
        (b"0 to 9\n10 to 19\n20 to 29\n", ("0 to 9", "10 to 19", "20 to 29")),
        (b"1 cent\n2 cents\n", ("1 cent", "2 cents")),
        (b"0 cat\nfour\n", ("0 cat", "four")),
        (b"???\nperson\n???\n", ("???", "person", "???")),
        ("été\n".encode(), ("été",)),
    ],
)
def test_lists_as_others_write_them(content: bytes, labels: tuple[str, ...]) -> None:
    assert read_labels(content, "labels.txt") == labels


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "line 1 is empty"),
        (b"a\n\nb\n", "line 2 is empty"),
        (b"\xff\xfe", "is no UTF-8 text (invalid start byte at byte 0)"),
        (b"a\x00b\n", "line 1 holds 'a\\x00b'"),
        (b"a\n" * 10_001, "has 10001 lines, expected at most 10000"),
        (b"a" * 300_000, "has 300000 bytes, expected at most 262144"),
    ],
)
def test_broken_lists_are_refused(content: bytes, said: str) -> None:
    with pytest.raises(ManifestInvalid) as error:
        read_labels(content, "labels.txt")
    assert said in str(error.value)


def test_repeated_labels_are_numbered() -> None:
    assert distinct(("crane", "ship", "crane")) == ("crane", "ship", "crane 2")


@given(st.binary(max_size=200))
def test_any_bytes_are_labels_or_refused(content: bytes) -> None:
    try:
        labels = read_labels(content, "labels.txt")
    except ManifestInvalid:
        return
    assert labels
    assert all(labels)
