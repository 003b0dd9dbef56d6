from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from edge_runtime.store.arrival.contents import Limits
from edge_runtime.store.arrival.listing import closed, fingerprint, look
from edge_runtime.store.arrival.mounts import needs_polling
from edge_runtime.store.arrival.settler import Patience
from edge_runtime.store.arrival.watch import Watch

AT_ONCE = Patience(settle_s=0, unsure_s=0, labels_s=0, model_s=0)

MOUNTS = """\
/dev/mmcblk0p2 / ext4 rw 0 0
nas:/models /mnt/nas nfs4 rw 0 0
//nas/share /mnt/my\\040share cifs rw 0 0
me@host:/ /home/me/far fuse.sshfs rw 0 0
/dev/sda1 /media/disk fuseblk rw 0 0
tmpfs /mnt/nas/local tmpfs rw 0 0
automount /mnt/late autofs rw 0 0
nas:/late /mnt/late nfs rw 0 0
broken
"""


class Looks:
    """Stops after some looks; what happens before each is told by ``steps``."""

    def __init__(self, *steps: Callable[[], object]) -> None:
        self._steps = list(steps)

    @property
    def stopping(self) -> bool:
        return not self._steps

    def wait(self, seconds: float) -> bool:
        if self._steps:
            self._steps.pop(0)()
        return self.stopping


def arrivals(watch: Watch, *steps: Callable[[], object]) -> list[str]:
    return [each.path.name for each in watch.arrivals(Looks(*steps))]


def nothing() -> None:
    pass


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the place of the kernel: each sleep is one step of the story."""

    def changes(folder: Path, *, stop_event: Any, **_: object) -> Iterator[set[object]]:
        while not stop_event.is_set():
            stop_event._stop.wait(1)
            yield set()

    monkeypatch.setattr("watchfiles.watch", changes)


@pytest.mark.parametrize(
    ("folder", "polling"),
    [
        ("/var/lib/models", False),
        ("/mnt/nas", True),
        ("/mnt/nas/models", True),
        ("/mnt/nasty", False),
        ("/mnt/my share/models", True),
        ("/home/me/far/models", True),
        ("/media/disk", False),
        ("/mnt/nas/local", False),
        ("/mnt/late", True),
    ],
)
def test_network_mounts_are_polled(folder: str, polling: bool) -> None:
    assert needs_polling(Path(folder), MOUNTS) is polling


def test_listing_leaves_out_what_is_no_drop(tmp_path: Path) -> None:
    for name in (".a", "a.part", "a.tmp", ".a.swp", "a~", "a.crdownload", "a.filepart", "shelf"):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "a.zip").write_bytes(b"xx")
    (tmp_path / "m" / "inner").mkdir(parents=True)
    (tmp_path / "m" / "inner" / "b.tflite.part").write_bytes(b"xxx")
    listing = look(tmp_path, lambda name: name == "shelf")
    assert sorted(listing) == ["a.zip", "m"]
    assert [(each.path, each.size) for each in listing["m"].files] == [("inner/b.tflite.part", 3)]
    assert (listing["a.zip"].unfinished, listing["m"].unfinished) == (False, True)
    assert look(tmp_path / "absent") == {}


def test_large_folders_are_not_read_to_the_end(tmp_path: Path) -> None:
    (tmp_path / "m").mkdir()
    for number in range(80):
        (tmp_path / "m" / str(number)).touch()
    assert len(look(tmp_path)["m"].files) == 65


def test_file_that_is_written_to_is_not_closed(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with path.open("wb") as file:
        file.write(b"x")
        file.flush()
        during = closed(path, look(tmp_path)["a.zip"])
    after = closed(path, look(tmp_path)["a.zip"])
    if after is None:
        pytest.skip("leases cannot be had on this file system")
    assert (during, after) == (False, True)


def test_fingerprint_is_of_all_bytes_and_bounded(tmp_path: Path) -> None:
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "a").write_bytes(b"1")
    seen = look(tmp_path)["m"]
    before = fingerprint(tmp_path / "m", seen, 10)
    (tmp_path / "m" / "a").write_bytes(b"2")
    assert before != fingerprint(tmp_path / "m", seen, 10) != b""
    assert fingerprint(tmp_path / "m", seen, 0) == b""
    assert fingerprint(tmp_path / "gone", seen, 10) == b""


@pytest.mark.usefixtures("kernel")
def test_what_is_there_at_the_start_arrives(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(b"x")
    watch = Watch(tmp_path, patience=AT_ONCE)
    assert arrivals(watch, *[nothing] * 5) == ["a.zip"]


def test_arrival_names_its_labels_and_notices_changes(tmp_path: Path) -> None:
    (tmp_path / "a.tflite").write_bytes(b"x")
    (tmp_path / "a.txt").write_bytes(b"x")
    watch = Watch(tmp_path, patience=AT_ONCE)
    (arrival,) = [each for _ in range(3) for each in watch.look()]
    assert (arrival.path, arrival.labels) == (tmp_path / "a.tflite", tmp_path / "a.txt")
    assert watch.unchanged(arrival)
    os.utime(arrival.path, ns=(1, 1))
    assert not watch.unchanged(arrival)
    arrival.path.unlink()
    assert not watch.unchanged(arrival)


@pytest.mark.usefixtures("kernel")
def test_folder_that_goes_and_comes_back_is_watched_again(tmp_path: Path) -> None:
    folder = tmp_path / "drop"

    def come() -> None:
        folder.mkdir()
        (folder / "a.zip").write_bytes(b"x")

    watch = Watch(folder, patience=AT_ONCE)
    settling = [nothing] * 3

    def go() -> None:
        shutil.rmtree(folder)

    steps = (nothing, come, *settling, go, nothing, come, *settling)
    assert arrivals(watch, *steps) == ["a.zip", "a.zip"]


def test_unreadable_and_too_large_files_arrive_to_be_refused(tmp_path: Path) -> None:
    (tmp_path / "large.zip").write_bytes(b"12345")
    (tmp_path / "link.zip").symlink_to(tmp_path / "nowhere")
    watch = Watch(tmp_path, patience=AT_ONCE, limits=Limits(bytes=4))
    assert [each.path.name for _ in range(3) for each in watch.look()] == ["large.zip", "link.zip"]


def test_folder_that_cannot_be_looked_at_is_said_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied", str(tmp_path))

    monkeypatch.setattr("edge_runtime.store.arrival.watch.look", refuse)
    watch = Watch(tmp_path)
    assert [watch.look() for _ in range(3)] == [()] * 3
    assert [record.message.count("cannot be looked at") for record in caplog.records] == [1]


def test_idle_watch_hears_of_changes_from_the_kernel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The watch sleeps in watchfiles, asked for as the mount needs it."""
    asked: list[dict[str, object]] = []

    def changes(folder: Path, **options: object) -> Iterator[set[tuple[int, str]]]:
        asked.append(options)
        (folder / "a.zip").write_bytes(b"x")
        yield {(1, str(folder / "a.zip"))}

    monkeypatch.setattr("watchfiles.watch", changes)
    mounts = tmp_path / ".mounts"
    mounts.write_text(f"nas:/ {tmp_path} nfs rw 0 0\n")
    watch = Watch(tmp_path, patience=AT_ONCE, mounts=mounts)
    assert arrivals(watch, *[nothing] * 3)[:1] == ["a.zip"]
    assert asked[0]["force_polling"] is True


def test_real_watch_wakes_and_stops(tmp_path: Path) -> None:
    """One real change through the kernel: nothing is left to time out."""
    watch = Watch(tmp_path, patience=AT_ONCE)
    stop = Looks(nothing, nothing, nothing)
    kernel = watch._after_change(watch._changes(stop), stop)
    assert kernel is not None  # slept for at most a second, nothing changed
    (tmp_path / "a.zip").write_bytes(b"x")
    assert watch._after_change(kernel, stop) is kernel
    assert [each.path.name for _ in range(3) for each in watch.look()] == ["a.zip"]
    absent = Watch(tmp_path / "absent", patience=AT_ONCE)
    assert absent._after_change(absent._changes(stop), stop) is None
