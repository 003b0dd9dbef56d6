"""Files and folders read into memory, never more than may be read, never through a link."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from edge_runtime.errors import ModelMissing, ModelRejected
from edge_runtime.store.arrival.names import ignored, shown

Contents = dict[str, bytes]
"""What a folder or an archive holds, by path within it, with slashes."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a drop may ask for; checked before any memory is taken."""

    entries: int = 64
    """Files and folders in a folder or an archive."""
    bytes: int = 65 << 20
    """Of all files together: the largest model has 64 MiB."""
    ratio: int = 200
    """How many times its own size an archive may expand to."""
    depth: int = 4
    """Folders within folders."""


DEFAULT_LIMITS: Final = Limits()


def read_file(path: Path, most: int) -> bytes:
    """All bytes of a regular file. Raises ModelMissing, or ModelRejected for anything else."""
    try:
        # Without waiting: a pipe of that name would let us wait for ever.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise ModelRejected(f"{shown(path.name)} is no regular file: drop the file itself")
            size = os.fstat(descriptor).st_size
            if size > most:
                raise _too_large(path, size, most)
            content = file.read(size + 1)
    except FileNotFoundError:
        raise ModelMissing(f"{shown(path.name)} was removed while it was read") from None
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise ModelRejected(f"{shown(path.name)} is a link: drop the file itself") from None
        raise _unreadable(path, error) from None
    if len(content) != size:
        raise ModelRejected(f"{shown(path.name)} changed while it was read: drop it again")
    return content


def read_folder(folder: Path, limits: Limits = DEFAULT_LIMITS) -> Contents:
    """Every file in a folder but hidden ones. Raises ModelMissing or ModelRejected."""
    files = _files(folder, limits)
    total = sum(size for _, size in files)
    if total > limits.bytes:
        raise _too_large(folder, total, limits.bytes)
    contents, left = {}, limits.bytes
    for file, _ in files:
        content = read_file(file, left)
        left -= len(content)
        contents[file.relative_to(folder).as_posix()] = content
    return contents


def _files(folder: Path, limits: Limits) -> list[tuple[Path, int]]:
    """Files with their sizes, sorted."""
    found = []
    for number, (entry, depth) in enumerate(_walk(folder, 1), start=1):
        if number > limits.entries or depth > limits.depth:
            raise ModelRejected(
                f"{shown(folder.name)} holds more than {limits.entries} files and folders, or more "
                f"than {limits.depth} folders in each other: drop a folder with one model only"
            )
        if entry.is_symlink():
            raise ModelRejected(
                f"{shown(folder.name)} holds the link {shown(entry.name)}: "
                "put the file itself into the folder"
            )
        if not entry.is_dir():
            found.append((Path(entry.path), _size(entry)))
    return sorted(found)


def _walk(folder: Path, depth: int) -> Iterator[tuple[os.DirEntry[str], int]]:
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if ignored(entry.name):
                    continue
                yield entry, depth
                if entry.is_dir(follow_symlinks=False):
                    yield from _walk(Path(entry.path), depth + 1)
    except FileNotFoundError:
        raise ModelMissing(f"{shown(folder.name)} was removed while it was read") from None
    except OSError as error:
        raise _unreadable(folder, error) from None


def _size(entry: os.DirEntry[str]) -> int:
    try:
        return entry.stat(follow_symlinks=False).st_size
    except OSError as error:
        raise _unreadable(Path(entry.path), error) from None


def _too_large(path: Path, size: int, most: int) -> ModelRejected:
    return ModelRejected(f"{shown(path.name)} has {size} bytes, expected at most {most}")


def _unreadable(path: Path, error: OSError) -> ModelRejected:
    return ModelRejected(
        f"{shown(path.name)} cannot be read ({error.strerror or error}): "
        "let the user of this program read it"
    )
