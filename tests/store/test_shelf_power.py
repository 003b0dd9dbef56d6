"""The shelf outlives a power cut before every single step, a full disk and a read-only one."""

from __future__ import annotations

import errno
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from edge_runtime.errors import ShelfUnwritable
from edge_runtime.store.shelf.disk import PART
from edge_runtime.store.shelf.rejected import REASON
from edge_runtime.store.shelf.shelf import Shelf
from edge_runtime.store.shelf.version import Version, digest_of
from edge_runtime.store.shelf.versions import VERDICT
from tests.store.power_cut import Folder, Left, MemoryDisk, PowerCut
from tests.store.shelved import admitted, opened, version

ROOT = Path("/var/lib/edge-runtime/models")
DROPPED = Path("/inbox/broken.tflite")
REJECTED = ROOT / "rejected"
ROLE = "classifier"
ONE, TWO, NEW = version(b"one"), version(b"two"), version(b"new")


class State(NamedTuple):
    """What the shelf says of itself."""

    versions: tuple[Version, ...]
    active: Version | None
    rejected: bool
    told: int
    """Lines of the history."""

    def unlike(self, other: State) -> bool:
        """Whether they differ in more than what was told on the way."""
        return self[:3] != other[:3]


class Change(NamedTuple):
    """Something done to a shelf, and whether doing it once more changes nothing further."""

    do: Callable[[Shelf], object]
    keep: int = 5
    again: bool = True


CHANGES = {
    "admit": Change(lambda shelf: admitted(shelf, b"new")),
    "admit and thin out": Change(lambda shelf: admitted(shelf, b"new"), keep=2),
    "admit another": Change(lambda shelf: admitted(shelf, b"new", "mask")),
    "activate": Change(lambda shelf: shelf.activate(ROLE, ONE, who="test", why="")),
    "roll back": Change(lambda shelf: shelf.roll_back(ROLE, who="test", why=""), again=False),
    "note a failure": Change(
        lambda shelf: shelf.note_failure(ROLE, ONE, who="test", why="", result="too slow")
    ),
    "remove": Change(lambda shelf: shelf.remove(ONE), again=False),
    "reject": Change(lambda shelf: shelf.reject(DROPPED, "it is broken"), again=False),
}

every_change = pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
every_remainder = pytest.mark.parametrize("left", Left)


def stocked() -> MemoryDisk:
    """``one`` and ``two`` active one after the other, ``old`` never, and a dropped file."""
    disk = MemoryDisk()
    disk.make_folder(DROPPED.parent)
    disk.write(DROPPED, b"broken")
    for path in (DROPPED, DROPPED.parent, Path("/")):
        disk.sync(path)
    shelf = opened(ROOT, disk)
    admitted(shelf, b"old")
    for content in (b"one", b"two"):
        shelf.activate(ROLE, admitted(shelf, content), who="test", why="")
    return disk


def state_of(shelf: Shelf, disk: MemoryDisk) -> State:
    versions = tuple(each.version for name in shelf.names() for each in shelf.versions(name))
    rejected = DROPPED.name in disk.names(REJECTED)
    return State(versions, shelf.active(ROLE), rejected, len(shelf.history()))


def require_whole(shelf: Shelf, disk: MemoryDisk) -> None:
    """Every version has exactly the files it was admitted with, and nothing half done is left."""
    for name in shelf.names():
        for shelved in shelf.versions(name):
            read = {file: disk.read(shelved.folder / file) for file in disk.names(shelved.folder)}
            assert json.loads(read.pop(VERDICT))["ok"]
            assert digest_of(read) == shelved.version.digest
    if DROPPED.name in disk.names(REJECTED):
        assert disk.read(REJECTED / f"{DROPPED.name}{REASON}") == b"it is broken\n"
    assert [path for path in paths(disk.root) if path.endswith(PART)] == []


def require_told(shelf: Shelf) -> None:
    """Every activation that counts is in the history, once, in order."""
    numbers = [each.number for each in shelf.history()]
    assert numbers == sorted(set(numbers))
    assert {each.number for stack in shelf.choices().values() for each in stack} <= set(numbers)


def paths(folder: Folder, prefix: str = "") -> Iterator[str]:
    for name, node in folder.entries.items():
        yield f"{prefix}/{name}"
        if isinstance(node, Folder):
            yield from paths(node, f"{prefix}/{name}")


def outcome(change: Change) -> State:
    disk = stocked()
    shelf = opened(ROOT, disk, keep=change.keep)
    change.do(shelf)
    return state_of(shelf, disk)


def steps_of(change: Change) -> int:
    disk = stocked()
    before = disk.steps
    change.do(opened(ROOT, disk, keep=change.keep))
    return disk.steps - before


@every_change
@every_remainder
def test_a_power_cut_before_any_step_leaves_the_old_or_the_new(change: Change, left: Left) -> None:
    before, after = state_of(opened(ROOT, disk := stocked()), disk), outcome(change)
    assert before != after
    for step in range(1, steps_of(change) + 1):
        disk = stocked()
        disk.cut_before = disk.steps + step
        with pytest.raises(PowerCut):
            change.do(opened(ROOT, disk, keep=change.keep))
        disk = disk.after_power_cut(left)
        shelf = opened(ROOT, disk, keep=change.keep)
        require_whole(shelf, disk)
        require_told(shelf)
        state = state_of(shelf, disk)
        assert state.active in (before.active, after.active)
        assert set(after.versions) & set(before.versions) <= set(state.versions)
        assert set(state.versions) <= set(after.versions) | set(before.versions)
        if change.again or state == before:
            change.do(shelf)
            assert not state_of(shelf, disk).unlike(after)


@every_change
@every_remainder
def test_what_is_done_outlasts_a_power_cut(change: Change, left: Left) -> None:
    disk = stocked()
    change.do(opened(ROOT, disk, keep=change.keep))
    disk = disk.after_power_cut(left)
    shelf = opened(ROOT, disk)
    require_whole(shelf, disk)
    require_told(shelf)
    assert state_of(shelf, disk) == outcome(change)


@every_change
@every_remainder
def test_a_power_cut_while_recovering_is_recovered_from(change: Change, left: Left) -> None:
    for step in range(1, steps_of(change) + 1):
        disk = stocked()
        disk.cut_before = disk.steps + step
        with pytest.raises(PowerCut):
            change.do(opened(ROOT, disk, keep=change.keep))
        disk = disk.after_power_cut(left)
        disk.cut_before = 2
        try:
            opened(ROOT, disk)
        except PowerCut:
            disk = disk.after_power_cut(left)
        disk.cut_before = None
        shelf = opened(ROOT, disk)
        require_whole(shelf, disk)
        require_told(shelf)


def refusal(change: Change, shelf: Shelf) -> str:
    """What ShelfUnwritable says; empty when it is not raised."""
    try:
        change.do(shelf)
    except ShelfUnwritable as error:
        return str(error)
    return ""


@every_change
def test_a_disk_that_becomes_full_at_any_step_is_said_and_nothing_is_half_done(
    change: Change,
) -> None:
    before, after = state_of(opened(ROOT, disk := stocked()), disk), outcome(change)
    for step in range(1, steps_of(change) + 1):
        disk = stocked()
        disk.fails_from = disk.steps + step
        if said := refusal(change, Shelf(ROOT, disk=disk, keep=change.keep)):
            assert "No space left on device): free some space" in said
        else:
            # Only removing, which takes no space, and the history may come after what counts.
            assert not state_of(Shelf(ROOT, disk=disk), disk).unlike(after)
        disk.fails_from = None
        shelf = opened(ROOT, disk, keep=change.keep)
        require_whole(shelf, disk)
        require_told(shelf)
        state = state_of(shelf, disk)
        assert state.active in (before.active, after.active)
        if change.again or state == before:
            change.do(shelf)
            assert not state_of(shelf, disk).unlike(after)


@every_change
def test_a_read_only_disk_is_read_and_what_would_be_written_is_refused(change: Change) -> None:
    disk = stocked()
    before = state_of(opened(ROOT, disk), disk)
    disk.fails_from, disk.error = 0, errno.EROFS
    shelf = opened(ROOT, disk, keep=change.keep)
    with pytest.raises(ShelfUnwritable, match="mounted read-only"):
        change.do(shelf)
    assert state_of(shelf, disk) == before
    require_whole(shelf, disk)


def test_an_admission_that_finds_the_disk_full_leaves_no_leftover_behind() -> None:
    """Also without a new start: the next one must not find less room than this one did."""
    disk = stocked()
    disk.fails_from = disk.steps + 4
    with pytest.raises(ShelfUnwritable):
        admitted(opened(ROOT, disk), b"new")
    assert [path for path in paths(disk.root) if path.endswith(PART)] == []
