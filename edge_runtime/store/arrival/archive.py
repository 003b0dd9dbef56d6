"""Read a zip file without trusting it: nothing is written, and nothing is larger than allowed."""

from __future__ import annotations

import stat
import struct
import zipfile
import zlib
from collections.abc import Collection, Iterator
from typing import BinaryIO, Final
from zipfile import ZipFile, ZipInfo

from edge_runtime.errors import ModelRejected
from edge_runtime.store.arrival.contents import DEFAULT_LIMITS, Contents, Limits
from edge_runtime.store.arrival.names import ignored, is_archive, shown

_END: Final = struct.Struct("<4s4H2LH")
"""End of central directory record, https://pkware.cachefly.net/webdocs/APPNOTE 4.3.16."""
_END_MARK: Final = b"PK\x05\x06"
_ZIP64_MARK: Final = b"PK\x06\x07"
_ZIP64_BYTES: Final = 20
_LONGEST_COMMENT: Final = (1 << 16) - 1
_DIRECTORY_BYTES: Final = 1 << 10
"""Of the directory for each entry that is allowed: its head, its path and some extra fields."""

_ENCRYPTED: Final = 0x41
_CODINGS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""Only these two can be expanded a bounded piece at a time."""

_OTHER_ARCHIVES: Final = (".gz", ".tgz", ".tar", ".bz2", ".xz", ".7z", ".rar")
_ARCHIVE_MARKS: Final = (
    b"PK\x03\x04",
    b"\x1f\x8b\x08",
    b"BZh",
    b"\xfd7zXZ",
    b"7z\xbc\xaf",
    b"Rar!",
)

_DAMAGES: Final = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    IndexError,
    NotImplementedError,
    OSError,
    OverflowError,
    RuntimeError,
    ValueError,
)
"""What zipfile raises for files that contradict themselves."""


def read_archive(
    source: BinaryIO,
    name: str,
    limits: Limits = DEFAULT_LIMITS,
    *,
    only: Collection[str] | None = None,
) -> Contents:
    """The files in a zip by their paths, hidden ones left out; ``name`` is what errors call it.

    With ``only`` no other path is read. Memory stays below ``limits.bytes`` and 2 MiB. Raises
    ModelRejected.
    """
    try:
        size = source.seek(0, 2)
        _require_bounded(source, size, name, limits)
        with ZipFile(source) as archive:
            entries = [
                each
                for each in _checked(archive.infolist(), name, limits)
                if only is None or each.filename in only
            ]
            _require_modest(entries, size, name, limits)
            return {each.filename: _content(archive, each, name) for each in entries}
    except ModelRejected:
        raise
    except _DAMAGES as error:
        raise ModelRejected(
            f"{name} is no whole zip file ({str(error) or type(error).__name__}): "
            "copy it again from where it came"
        ) from None


def _require_bounded(source: BinaryIO, size: int, name: str, limits: Limits) -> None:
    """Before zipfile makes an object of each entry: 64 MiB can hold a million."""
    start = max(0, size - _END.size - _LONGEST_COMMENT - _ZIP64_BYTES)
    source.seek(start)
    tail = source.read(size - start)
    at = tail.rfind(_END_MARK)
    if at < 0 or at + _END.size > len(tail):
        raise zipfile.BadZipFile("it has no directory at its end")
    if tail[max(0, at - _ZIP64_BYTES) : at].startswith(_ZIP64_MARK):
        raise ModelRejected(f"{name} is a ZIP64 file, expected a plain zip of a model")
    _, _, _, _, entries, directory, _, comment = _END.unpack_from(tail, at)
    if at + _END.size + comment != len(tail):
        raise zipfile.BadZipFile("its directory does not end where the file does")
    if entries > limits.entries or directory > limits.entries * _DIRECTORY_BYTES:
        raise _too_many(name, limits)


def _checked(entries: list[ZipInfo], name: str, limits: Limits) -> Iterator[ZipInfo]:
    """The files among the entries; every entry is looked at."""
    if len(entries) > limits.entries:
        raise _too_many(name, limits)
    taken: set[str] = set()
    for entry in entries:
        _require_safe_path(entry, name)
        _require_plain(entry, name)
        if entry.filename in taken:
            raise ModelRejected(
                f"{name} holds {shown(entry.filename)} twice: make the zip anew with one of each"
            )
        taken.add(entry.filename)
        if not entry.is_dir() and not any(ignored(part) for part in entry.filename.split("/")):
            yield entry


def _require_safe_path(entry: ZipInfo, name: str) -> None:
    path = entry.orig_filename
    parts = path.removesuffix("/").split("/")
    drive = len(path) > 1 and path[1] == ":"
    if drive or "\\" in path or "\0" in path or any(part in ("", ".", "..") for part in parts):
        raise ModelRejected(
            f"{name} holds the path {shown(path)!r}, expected paths inside the zip, with slashes, "
            "without '..': make the zip anew"
        )


def _require_plain(entry: ZipInfo, name: str) -> None:
    """Neither encrypted nor a link, a device or another archive."""
    path, kind = shown(entry.filename), stat.S_IFMT(entry.external_attr >> 16)
    if entry.flag_bits & _ENCRYPTED:
        raise ModelRejected(f"{name} is encrypted ({path}): make the zip anew without a password")
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        what = "link" if kind == stat.S_IFLNK else "special file"
        raise ModelRejected(f"{name} holds the {what} {path}: put the file itself into the zip")
    if is_archive(entry.filename) or entry.filename.lower().endswith(_OTHER_ARCHIVES):
        raise _nested(name, path)
    if entry.compress_type not in _CODINGS:
        raise ModelRejected(
            f"{name} compresses {path} by method {entry.compress_type}, expected 0 (stored) or 8 "
            "(deflate): make the zip anew with the usual settings"
        )


def _require_modest(entries: list[ZipInfo], size: int, name: str, limits: Limits) -> None:
    total = sum(entry.file_size for entry in entries)
    most = min(limits.bytes, limits.ratio * size)
    if total > most:
        raise ModelRejected(
            f"{name} of {size} bytes expands to {total} bytes, expected at most {most}"
        )


def _content(archive: ZipFile, entry: ZipInfo, name: str) -> bytes:
    with archive.open(entry) as file:
        content = file.read(entry.file_size + 1)
    if len(content) != entry.file_size:
        raise zipfile.BadZipFile(f"{shown(entry.filename)} has another size than it says")
    if content.startswith(_ARCHIVE_MARKS):
        raise _nested(name, shown(entry.filename))
    return content


def _nested(name: str, path: str) -> ModelRejected:
    return ModelRejected(f"{name} holds another archive, {path}: unpack that one and drop it alone")


def _too_many(name: str, limits: Limits) -> ModelRejected:
    return ModelRejected(
        f"{name} holds more than {limits.entries} files: make a zip of the model, its labels and "
        "its manifest.json only"
    )
