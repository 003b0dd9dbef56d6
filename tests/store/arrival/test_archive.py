from __future__ import annotations

import io
import struct
import tracemalloc
import warnings
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_runtime.errors import ModelRejected
from edge_runtime.store.arrival.archive import read_archive
from edge_runtime.store.arrival.contents import Contents, Limits
from tests.store.arrival.drops import teachable_machine, zipped

SMALL = Limits(entries=4, bytes=100_000, ratio=100)


def read(content: bytes, limits: Limits = SMALL) -> Contents:
    return read_archive(io.BytesIO(content), "a.zip", limits)


def refusal(content: bytes, limits: Limits = SMALL) -> str:
    with pytest.raises(ModelRejected) as error:
        read(content, limits)
    said = str(error.value)
    assert said.startswith("a.zip ")
    assert "\n" not in said
    return said


def one(name: str, content: bytes = b"x", **changes: int) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        entry = zipfile.ZipInfo("safe")
        entry.filename = name
        for key, value in changes.items():
            setattr(entry, key, value)
        archive.writestr(entry, content)
    return made.getvalue()


def test_files_come_by_path_and_junk_is_left_out() -> None:
    files = {"m/model.tflite": b"1", "m/": b"", "m/.DS_Store": b"2", "__MACOSX/._m": b"3"}
    assert read(zipped(files)) == {"m/model.tflite": b"1"}
    assert read(zipped(files, compression=zipfile.ZIP_STORED)) == {"m/model.tflite": b"1"}


@pytest.mark.parametrize(
    "path", ["/etc/passwd", "../a", "a/../b", "a//b", "./a", "C:/a", "a\\b", "a\0b", "..", "/"]
)
def test_paths_that_lead_outside_are_refused(path: str) -> None:
    assert "expected paths inside the zip" in refusal(one(path))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (one("l", b"/etc/passwd", external_attr=0o120777 << 16), "a.zip holds the link l: put the"),
        (one("d", external_attr=0o020666 << 16), "holds the special file d"),
        (one("inner.zip"), "holds another archive, inner.zip"),
        (one("inner.tar.gz"), "holds another archive"),
        (one("model.tflite", zipped({"a": b"1"})), "holds another archive, model.tflite"),
        (one("a", compress_type=zipfile.ZIP_LZMA), "compresses a by method 14, expected 0"),
        (zipped({str(number): b"" for number in range(5)}), "holds more than 4 files"),
        (zipped({"a": bytes(90_000)}), "expands to 90000 bytes, expected at most"),
        (zipped({"a": b"a" * 200_000}), "expands to 200000 bytes, expected at most"),
        (b"", "is no whole zip file (it has no directory at its end)"),
        (b"PK\x03\x04" + bytes(100), "is no whole zip file"),
        (teachable_machine()[:-30], "is no whole zip file"),
        (zipped({"a": b"1"}) + b"behind", "its directory does not end where the file does"),
    ],
)
def test_what_must_not_be_is_refused_in_one_sentence(content: bytes, said: str) -> None:
    assert said in refusal(content)


def test_encrypted_zip_is_refused() -> None:
    content = bytearray(zipped({"a": b"1"}))
    at = content.rindex(b"PK\x01\x02")
    content[at + 8] |= 1
    assert "is encrypted (a): make the zip anew without a password" in refusal(bytes(content))


def test_same_path_twice_is_refused() -> None:
    made = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(made, "w") as archive:
        warnings.simplefilter("ignore")
        archive.writestr("model.tflite", b"1")
        archive.writestr("model.tflite", b"2")
    assert "holds model.tflite twice" in refusal(made.getvalue())


def test_size_that_is_a_lie_is_refused() -> None:
    content = bytearray(zipped({"a": b"12345678" * 100}))
    at = content.rindex(b"PK\x01\x02")
    struct.pack_into("<L", content, at + 24, 100)
    assert "is no whole zip file" in refusal(bytes(content))


def test_zip64_and_large_directories_are_refused_before_they_are_read() -> None:
    plain = zipped({"a": b"1"})
    end = len(plain) - 22
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, 0, 1)
    assert "is a ZIP64 file" in refusal(plain[:end] + locator + plain[end:])
    many = bytearray(plain)
    struct.pack_into("<2H", many, end + 8, 60_000, 60_000)
    assert "holds more than 4 files" in refusal(bytes(many))


def test_a_million_entries_take_no_memory() -> None:
    entry = zipped({"a": b""})
    head = entry[entry.index(b"PK\x01\x02") : -22]
    bomb = bytearray(entry[:-22] + head * 100_000 + entry[-22:])
    struct.pack_into("<L", bomb, len(bomb) - 22 + 12, len(head) * 100_001)
    tracemalloc.start()
    refusal(bytes(bomb))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < len(bomb) + 1_000_000


@settings(max_examples=60)
@given(at=st.floats(0, 1, exclude_max=True), flip=st.integers(1, 255), cut=st.integers(0, 60))
def test_damaged_zips_are_read_right_or_refused(at: float, flip: int, cut: int) -> None:
    whole = {"model.tflite": bytes(range(256)), "labels.txt": b"0 a\n1 b\n"}
    content = bytearray(zipped(whole))
    content[int(at * len(content))] ^= flip
    del content[len(content) - cut :]
    try:
        found = read(bytes(content))
    except ModelRejected as error:
        assert str(error).startswith("a.zip ")  # noqa: PT017 - both ways are right
    else:
        assert set(found.values()) <= set(whole.values())
