"""A disk in memory whose power can be cut before any step, and which can be full or read-only.

It forgets as real ones may: after a cut a file holds what was synced last and a folder the names it
had then (``Left.LOST``), or names are further on than contents, which are then torn
(``Left.TORN``): the worst two of what journalling file systems promise.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum, auto
from pathlib import Path
from typing import NoReturn

from edge_runtime.store.shelf.disk import Size


class PowerCut(BaseException):
    """No OSError: no program can do anything about it."""


class Left(Enum):
    """What a power cut leaves of all that was not synced."""

    LOST = auto()
    TORN = auto()


@dataclass(eq=False)
class File:
    content: bytes = b""
    synced: bytes = b""
    changed_at: float = 0.0


@dataclass(eq=False)
class Folder:
    entries: dict[str, File | Folder] = field(default_factory=dict)
    synced: dict[str, File | Folder] = field(default_factory=dict)
    changed_at: float = 0.0


Node = File | Folder


class MemoryDisk:
    """``steps`` counts what changes something; ``cut_before`` and ``fails_from`` are such."""

    def __init__(
        self,
        root: Folder | None = None,
        *,
        cut_before: int | None = None,
        fails_from: int | None = None,
        error: int = errno.ENOSPC,
    ) -> None:
        self.root = root or Folder()
        self.steps = 0
        self.cut_before, self.fails_from, self.error = cut_before, fails_from, error

    def after_power_cut(self, left: Left) -> MemoryDisk:
        """The same disk when the power is back."""
        return MemoryDisk(_remaining_folder(self.root, left))

    def names(self, folder: Path) -> tuple[str, ...]:
        node = self._find(folder)
        return tuple(sorted(node.entries)) if isinstance(node, Folder) else ()

    def read(self, file: Path) -> bytes:
        node = self._find(file)
        if node is None:
            _fail(errno.ENOENT)
        if isinstance(node, Folder):
            _fail(errno.EISDIR)
        return node.content

    def size(self, path: Path) -> Size:
        node = self._existing(path)
        return Size(_bytes(node), node.changed_at)

    def write(self, file: Path, content: bytes) -> None:
        with self._step(takes_space=True) as going:
            node = self._folder(file.parent).entries.setdefault(file.name, File())
            assert isinstance(node, File)
            node.content = content if going else content[: len(content) // 2]
            node.changed_at = self.steps

    def append(self, file: Path, content: bytes) -> None:
        with self._step(takes_space=True) as going:
            node = self._folder(file.parent).entries.setdefault(file.name, File())
            assert isinstance(node, File)
            node.content += content if going else content[: len(content) // 2]

    def sync(self, path: Path) -> None:
        with self._step(takes_space=True) as going:
            node = self._existing(path)
            if going and isinstance(node, File):
                node.synced = node.content
            elif going and isinstance(node, Folder):
                node.synced = dict(node.entries)

    def make_folder(self, folder: Path) -> None:
        entries = self._folder(folder.parent).entries
        if folder.name in entries:
            _fail(errno.EEXIST)
        with self._step(takes_space=True) as going:
            if going:
                entries[folder.name] = Folder()

    def rename(self, old: Path, new: Path) -> None:
        with self._step(takes_space=True) as going:
            if going:
                node = self._existing(old)
                del self._folder(old.parent).entries[old.name]
                self._folder(new.parent).entries[new.name] = node

    move = rename

    def remove(self, path: Path) -> None:
        node = self._existing(path)
        if isinstance(node, Folder):
            for name in list(node.entries):
                self.remove(path / name)
        with self._step(takes_space=False) as going:
            if going:
                del self._folder(path.parent).entries[path.name]

    @contextmanager
    def held(self, folder: Path) -> Iterator[None]:
        self._folder(folder)
        yield

    @contextmanager
    def _step(self, *, takes_space: bool) -> Iterator[bool]:
        """True for a step that succeeds; one that fails may still do half of what it would."""
        self.steps += 1
        if self.cut_before is not None and self.steps >= self.cut_before:
            raise PowerCut
        full = self.fails_from is not None and self.steps >= self.fails_from
        if full and self.error != errno.ENOSPC:
            _fail(self.error)
        fails = full and takes_space
        yield not fails
        if fails:
            _fail(self.error)

    def _find(self, path: Path) -> Node | None:
        node: Node | None = self.root
        for part in path.parts[1:]:
            node = node.entries.get(part) if isinstance(node, Folder) else None
        return node

    def _existing(self, path: Path) -> Node:
        node = self._find(path)
        if node is None:
            _fail(errno.ENOENT)
        return node

    def _folder(self, path: Path) -> Folder:
        node = self._existing(path)
        if isinstance(node, File):
            _fail(errno.ENOTDIR)
        return node


def _remaining(node: Node, left: Left) -> Node:
    if isinstance(node, Folder):
        return _remaining_folder(node, left)
    content = node.synced
    if left is Left.TORN and node.content != node.synced:
        # Files are written anew or grow at their end.
        content = node.content[: (len(node.synced) + len(node.content)) // 2]
    return File(content, content, node.changed_at)


def _remaining_folder(folder: Folder, left: Left) -> Folder:
    entries = folder.synced if left is Left.LOST else folder.entries
    kept = {name: _remaining(each, left) for name, each in entries.items()}
    return Folder(kept, dict(kept), folder.changed_at)


def _bytes(node: Node) -> int:
    if isinstance(node, File):
        return len(node.content)
    return sum(map(_bytes, node.entries.values()))


def _fail(number: int) -> NoReturn:
    raise OSError(number, os.strerror(number))
