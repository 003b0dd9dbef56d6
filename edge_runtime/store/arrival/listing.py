"""What lies in the folder for drops, and whether it is still being written."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

from edge_runtime.store.arrival.names import ignored, is_archive, is_model, unfinished

Ignored = Callable[[str], bool]

MOST_FILES: Final = 65
"""Of a folder to be looked at: one more than it may hold, so that more is noticed and refused."""

_PIECE: Final = 1 << 20


class Stat(NamedTuple):
    """A file as the file system describes it."""

    path: str
    """Within the dropped folder; empty for a dropped file itself."""
    size: int
    written_ns: int
    """When its content changed, as far as whoever copied it tells the truth."""
    changed_ns: int
    """When anything about it changed, such as who may read it: nobody can set this."""


class Seen(NamedTuple):
    """A dropped file or folder at one look."""

    files: tuple[Stat, ...]
    unfinished: bool = False
    """A file in it has a name that a copying program uses until it is done."""

    @property
    def folder(self) -> bool:
        return not self.files or self.files[0].path != ""

    @property
    def has_model(self) -> bool:
        return any(is_model(each.path) or is_archive(each.path) for each in self.files)


Listing = dict[str, Seen]
"""By name in the folder."""


def look(folder: Path, others: Ignored = lambda _: False) -> Listing:
    """What is in ``folder`` now; nothing where it is not there. Raises OSError.

    Hidden and unfinished names, and those of ``others``, are left out.
    """
    found: Listing = {}
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if not (ignored(entry.name) or unfinished(entry.name) or others(entry.name)):
                    seen = _seen(entry)
                    if seen is not None:
                        found[entry.name] = seen
    except (FileNotFoundError, NotADirectoryError):
        return {}
    return found


def _seen(entry: os.DirEntry[str]) -> Seen | None:
    """None when it is gone meanwhile."""
    try:
        if not entry.is_dir(follow_symlinks=False):
            return Seen((_stat(entry, ""),))
        files, half = [], False
        for inner in _inside(Path(entry.path)):
            half = half or unfinished(inner.name)
            files.append(_stat(inner, os.path.relpath(inner.path, entry.path)))
            if len(files) >= MOST_FILES:
                break
        return Seen(tuple(sorted(files)), half)
    except OSError:
        return None if not os.path.lexists(entry.path) else Seen((Stat("", -1, -1, -1),))


def _stat(entry: os.DirEntry[str], path: str) -> Stat:
    status = entry.stat(follow_symlinks=False)
    return Stat(path, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def _inside(folder: Path) -> Iterator[os.DirEntry[str]]:
    """Every file in a folder, and empty folders' contents: nothing."""
    with os.scandir(folder) as entries:
        for entry in sorted(entries, key=lambda each: each.name):
            if ignored(entry.name):
                continue
            if entry.is_dir(follow_symlinks=False):
                yield from _inside(Path(entry.path))
            else:
                yield entry


def fingerprint(path: Path, seen: Seen, most: int) -> bytes:
    """SHA-256 of all bytes; empty for what cannot be read or has more than ``most`` bytes."""
    if sum(each.size for each in seen.files) > most:
        return b""
    digest = hashlib.sha256()
    try:
        for each in seen.files:
            _add(digest, path / each.path if each.path else path)
    except OSError:
        return b""
    return digest.digest()


def _add(digest: hashlib._Hash, file: Path) -> None:
    with os.fdopen(_opened(file), "rb") as content:
        while piece := content.read(_PIECE):
            digest.update(piece)
    digest.update(b"\0")


def closed(path: Path, seen: Seen) -> bool | None:
    """Whether nobody has a file of it open for writing; None where the system cannot tell."""
    answers = [_closed(path / each.path if each.path else path) for each in seen.files]
    return False if False in answers else None if None in answers else True


def _closed(file: Path) -> bool | None:
    """A read lease is granted only while nobody has the file open for writing (fcntl(2)).

    It cannot be had for other users' files and on network mounts.
    """
    try:
        descriptor = _opened(file)
    except OSError:
        return None
    try:
        # Should somebody open the file at this very moment, the kernel sends SIGIO, which would
        # end the process; SIGURG is ignored unless somebody asks for it.
        fcntl.fcntl(descriptor, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    except OSError as error:
        return False if error.errno == errno.EAGAIN else None
    finally:
        os.close(descriptor)
    return True


def _opened(file: Path) -> int:
    return os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
