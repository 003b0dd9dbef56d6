"""The few operations on files that the shelf is built of, so that a test can cut the power."""

from __future__ import annotations

import errno
import fcntl
import logging
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Final, NamedTuple, Protocol

from edge_runtime.errors import ShelfUnwritable
from edge_runtime.types import Clock

logger = logging.getLogger(__name__)

PART: Final = ".part"
"""Suffix of what is not finished; such names also begin with a dot."""

PATIENCE_S: Final = 10.0
_PAUSE_S: Final = 0.02

_REMEDIES: Final = {
    errno.ENOSPC: "free some space there",
    errno.EDQUOT: "free some space there",
    errno.EROFS: "it is mounted read-only; name another folder, or mount it writable",
    errno.EACCES: "let the user of this program write there",
    errno.EPERM: "let the user of this program write there",
    errno.EBUSY: "another program is writing there; try again",
}


class Size(NamedTuple):
    """Of a file, or of a folder with all in it."""

    bytes: int
    changed_at: float
    """Seconds since 1970 by the disk's own account."""


class Disk(Protocol):
    """Files and folders. Everything raises OSError; only ``sync`` makes anything outlast a power
    cut: of a file its content, of a folder which names are in it.
    """

    def names(self, folder: Path) -> tuple[str, ...]:
        """What is in a folder, sorted; nothing where there is none."""

    def read(self, file: Path) -> bytes: ...

    def size(self, path: Path) -> Size: ...

    def write(self, file: Path, content: bytes) -> None: ...

    def append(self, file: Path, content: bytes) -> None: ...

    def sync(self, path: Path) -> None: ...

    def make_folder(self, folder: Path) -> None:
        """One level; FileExistsError when it is there."""

    def rename(self, old: Path, new: Path) -> None:
        """Takes the place of a file that is there, at once or not at all."""

    def move(self, old: Path, new: Path) -> None:
        """As ``rename``, but also to another file system, and then not at once."""

    def remove(self, path: Path) -> None:
        """A file, or a folder with all in it."""

    def held(self, folder: Path) -> AbstractContextManager[None]:
        """Nobody else holds the folder meanwhile, neither a thread nor another program."""


class SystemDisk:
    """The real one."""

    def __init__(
        self, *, clock: Clock = time.monotonic, wait: Callable[[float], None] = time.sleep
    ) -> None:
        self._clock, self._wait = clock, wait

    def names(self, folder: Path) -> tuple[str, ...]:
        try:
            return tuple(sorted(each.name for each in folder.iterdir()))
        except (FileNotFoundError, NotADirectoryError):
            return ()

    def read(self, file: Path) -> bytes:
        return file.read_bytes()

    def size(self, path: Path) -> Size:
        inside = path.rglob("*") if path.is_dir() else iter(())
        return Size(sum(each.lstat().st_size for each in (path, *inside)), path.lstat().st_mtime)

    def write(self, file: Path, content: bytes) -> None:
        file.write_bytes(content)

    def append(self, file: Path, content: bytes) -> None:
        with file.open("ab") as opened:
            opened.write(content)

    def sync(self, path: Path) -> None:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def make_folder(self, folder: Path) -> None:
        folder.mkdir()

    def rename(self, old: Path, new: Path) -> None:
        old.replace(new)

    def move(self, old: Path, new: Path) -> None:
        shutil.move(old, new)

    def remove(self, path: Path) -> None:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()

    @contextmanager
    def held(self, folder: Path) -> Iterator[None]:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            self._lock(descriptor)
            yield
        finally:
            os.close(descriptor)  # ends the lock as well

    def _lock(self, descriptor: int) -> None:
        deadline = self._clock() + PATIENCE_S
        while True:
            try:
                return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if self._clock() >= deadline:
                    raise OSError(errno.EBUSY, os.strerror(errno.EBUSY)) from None
            self._wait(_PAUSE_S)


@contextmanager
def writing(place: Path) -> Iterator[None]:
    """Turns what the disk refuses in the block into one ShelfUnwritable about ``place``."""
    try:
        yield
    except OSError as error:
        remedy = _REMEDIES.get(error.errno or 0, "see what is wrong with that disk")
        raise ShelfUnwritable(
            f"{place} cannot be written ({error.strerror or error}): {remedy}; nothing there "
            "is half done"
        ) from error


def ensure_folder(disk: Disk, folder: Path) -> None:
    """Make a folder, and those it lies in, unless it is there."""
    try:
        disk.make_folder(folder)
    except FileExistsError:
        return
    except FileNotFoundError:
        ensure_folder(disk, folder.parent)
        disk.make_folder(folder)
    disk.sync(folder.parent)


def part_of(path: Path) -> Path:
    """Where ``path`` is prepared before it is renamed into place."""
    return path.with_name(f".{path.name}{PART}")


def replace_file(disk: Disk, file: Path, content: bytes) -> None:
    """After a power cut the file is the old one or the new one, never half of one."""
    part = part_of(file)
    try:
        disk.write(part, content)
        disk.sync(part)
        disk.rename(part, file)
    except OSError:
        discard(disk, part)
        raise
    disk.sync(file.parent)


def discard(disk: Disk, path: Path) -> None:
    """Remove what is of no use; what cannot be removed is swept at the next start."""
    if path.name not in disk.names(path.parent):
        return
    try:
        disk.remove(path)
    except OSError as error:
        logger.warning("%s cannot be removed: %s", path, error)
