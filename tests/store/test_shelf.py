"""What the shelf keeps and gives back, on a real disk and on the one in memory."""

from __future__ import annotations

import errno
import itertools
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from edge_runtime.errors import ModelMissing, ModelRejected, ShelfUnwritable
from edge_runtime.store.shelf import history
from edge_runtime.store.shelf.disk import PATIENCE_S, Disk, SystemDisk
from edge_runtime.store.shelf.rejected import Rejected
from edge_runtime.store.shelf.shelf import Shelf
from edge_runtime.store.shelf.version import Version, digest_of
from edge_runtime.store.trial.verdict import Verdict
from tests.store.power_cut import MemoryDisk
from tests.store.shelved import NOON, admitted, files, manifest, opened, version

ROLE = "classifier"
PACKAGED = Version("smile", None)


@pytest.fixture(params=[SystemDisk, MemoryDisk])
def disk(request: pytest.FixtureRequest, tmp_path: Path) -> Disk:
    made: Disk = request.param()
    if isinstance(made, MemoryDisk):
        for folder in reversed([tmp_path, *tmp_path.parents[:-1]]):
            made.make_folder(folder)
    return made


@pytest.fixture
def shelf(tmp_path: Path, disk: Disk) -> Shelf:
    return opened(tmp_path / "state" / "models", disk, keep=3)


def activate(shelf: Shelf, found: Version, role: str = ROLE) -> None:
    shelf.activate(role, found, who="test", why="a try")


def roll_back(shelf: Shelf) -> Version | None:
    return shelf.roll_back(ROLE, who="test", why="too slow")


def digests(shelf: Shelf) -> list[str | None]:
    return [each.version.digest for each in shelf.versions("mood")]


def test_an_admitted_model_lies_in_a_folder_named_after_its_content(
    shelf: Shelf, disk: Disk
) -> None:
    found = admitted(shelf, b"one")
    folder = shelf.folder(found)
    assert folder == shelf.root / "mood" / digest_of(files(b"one"))
    assert {name: disk.read(folder / name) for name in files(b"one")} == files(b"one")
    record = json.loads(disk.read(folder / "verdict.json"))
    assert (record["ok"], record["order"], record["admitted_at"]) == (True, 1, NOON)
    assert shelf.names() == ("mood",)


def test_the_same_files_twice_are_one_version(shelf: Shelf) -> None:
    assert admitted(shelf, b"one") == admitted(shelf, b"one")
    assert len(shelf.versions("mood")) == 1


def test_other_labels_make_another_version(shelf: Shelf) -> None:
    verdict = Verdict(True, "", manifest(b"one").sha256)
    one = admitted(shelf, b"one")
    other = shelf.admit(manifest(b"one"), {**files(b"one"), "labels.txt": b"a\nb\n"}, verdict)
    assert [each.version for each in shelf.versions("mood")] == [other, one]


def test_only_what_passed_its_trial_is_admitted(shelf: Shelf) -> None:
    one = manifest(b"one")
    for verdict in (Verdict(False, "it hangs", one.sha256), Verdict(True, "", "0" * 64)):
        with pytest.raises(ModelRejected, match="mood is not admitted"):
            shelf.admit(one, files(b"one"), verdict)
    assert shelf.names() == ()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"../escaped": b""}, r"'\.\./escaped' cannot be called so"),
        ({".hidden": b""}, "cannot be called so"),
        ({"verdict.json": b""}, "cannot be called so"),
        ({"manifest.json": None}, "manifest.json is missing"),
        ({"model.tflite": None}, "model.tflite is missing"),
    ],
)
def test_files_that_do_not_belong_there_are_refused(
    shelf: Shelf, changes: dict[str, bytes | None], said: str
) -> None:
    given = {**files(b"one"), **changes}
    kept = {name: content for name, content in given.items() if content is not None}
    with pytest.raises(ModelRejected, match=said):
        shelf.admit(manifest(b"one"), kept, Verdict(True, "", manifest(b"one").sha256))


@pytest.mark.parametrize("name", ["rejected", "active.json", "history.jsonl"])
def test_no_model_is_called_like_what_the_shelf_itself_keeps(shelf: Shelf, name: str) -> None:
    with pytest.raises(ModelRejected, match="set another name"):
        admitted(shelf, b"one", name)


def test_the_latest_versions_stay(shelf: Shelf) -> None:
    found = [admitted(shelf, content) for content in (b"1", b"2", b"3", b"4")]
    assert digests(shelf) == [each.digest for each in found[:0:-1]]


def test_the_active_version_and_the_one_before_stay(shelf: Shelf) -> None:
    for content in (b"1", b"2"):
        activate(shelf, admitted(shelf, content))
    for content in (b"3", b"4", b"5", b"6"):
        admitted(shelf, content)
    kept = {version(content).digest for content in (b"1", b"2", b"4", b"5", b"6")}
    assert set(digests(shelf)) == kept


def test_models_do_not_push_each_other_out(shelf: Shelf) -> None:
    for name, content in itertools.product(("mood", "mask"), (b"1", b"2", b"3")):
        admitted(shelf, content, name)
    assert [len(shelf.versions(name)) for name in shelf.names()] == [3, 3]


def test_activations_are_stacked_and_rolled_back(shelf: Shelf) -> None:
    one, two = admitted(shelf, b"one"), admitted(shelf, b"two")
    assert shelf.active(ROLE) is None
    activate(shelf, one)
    activate(shelf, two)
    assert shelf.active(ROLE) == two
    assert roll_back(shelf) == one
    assert shelf.active(ROLE) == one
    assert roll_back(shelf) is None
    assert shelf.active(ROLE) is None
    with pytest.raises(ModelMissing, match="none to roll back"):
        roll_back(shelf)


def test_activating_the_same_again_does_not_hide_what_was_before(shelf: Shelf) -> None:
    one, two = admitted(shelf, b"one"), admitted(shelf, b"two")
    for each in (one, two, two):
        activate(shelf, each)
    assert roll_back(shelf) == one


def test_a_packaged_model_can_be_activated_and_rolled_back_to(shelf: Shelf) -> None:
    activate(shelf, PACKAGED)
    activate(shelf, admitted(shelf, b"one"))
    assert roll_back(shelf) == PACKAGED
    assert str(PACKAGED) == "smile"


def test_roles_do_not_meddle_with_each_other(shelf: Shelf) -> None:
    one, two = admitted(shelf, b"one"), admitted(shelf, b"two")
    activate(shelf, one, "classifier/mood")
    activate(shelf, two, "classifier/mask")
    assert [shelf.active(role) for role in shelf.choices()] == [two, one]


def test_the_choice_outlasts_the_program(shelf: Shelf, disk: Disk) -> None:
    one, two = admitted(shelf, b"one"), admitted(shelf, b"two")
    activate(shelf, one)
    activate(shelf, two)
    again = opened(shelf.root, disk)
    assert again.active(ROLE) == two
    assert roll_back(again) == one
    assert [each.result for each in shelf.history()] == ["activated", "activated", "rolled back"]


def test_a_version_that_is_not_there_cannot_be_activated(shelf: Shelf) -> None:
    one = admitted(shelf, b"one")
    with pytest.raises(ModelMissing, match=f"mood/0000 is not on the shelf .* {one}"):
        activate(shelf, Version("mood", "0000"))
    assert shelf.active(ROLE) is None


def test_an_active_version_is_not_removed_and_others_are(shelf: Shelf, disk: Disk) -> None:
    one, two = admitted(shelf, b"one"), admitted(shelf, b"two")
    activate(shelf, one)
    with pytest.raises(ModelRejected, match="active as classifier: activate another one first"):
        shelf.remove(one)
    activate(shelf, two)
    shelf.remove(one)
    assert roll_back(shelf) is None
    shelf.remove(two)
    assert "mood" not in disk.names(shelf.root)
    with pytest.raises(ModelMissing, match="there is none"):
        shelf.remove(two)


def test_when_the_active_folder_vanishes_the_one_before_is_active(shelf: Shelf, disk: Disk) -> None:
    one, two = admitted(shelf, b"one"), admitted(shelf, b"two")
    activate(shelf, one)
    activate(shelf, two)
    disk.remove(shelf.folder(two))
    assert shelf.active(ROLE) == one
    disk.remove(shelf.folder(one))
    assert shelf.active(ROLE) is None


def test_the_history_says_who_when_why_and_what_came_of_it(shelf: Shelf) -> None:
    one, two = admitted(shelf, b"one"), admitted(shelf, b"two")
    shelf.activate(ROLE, one, who="page", why="clicked")
    shelf.note_failure(ROLE, two, who="watcher", why="dropped", result="does not open")
    first, second = shelf.history()
    assert (first.number, first.at, first.role, first.version) == (1, NOON, ROLE, one)
    assert (first.who, first.why, first.result) == ("page", "clicked", "activated")
    assert (second.number, second.version, second.result) == (2, two, "does not open")
    assert shelf.active(ROLE) == one


def test_a_damaged_line_of_the_history_is_left_out(
    shelf: Shelf, disk: Disk, caplog: pytest.LogCaptureFixture
) -> None:
    one, two = admitted(shelf, b"one"), admitted(shelf, b"two")
    activate(shelf, one)
    disk.append(shelf.root / "history.jsonl", b'{"number": 2, "ro')
    activate(shelf, two)
    assert [each.version for each in shelf.history()] == [one, two]
    assert "a line of the history of activations is damaged" in caplog.text


def test_the_history_is_bounded_and_keeps_the_latest(
    shelf: Shelf, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "MOST_BYTES", 2000)
    one, two = admitted(shelf, b"one"), admitted(shelf, b"two")
    for each in [one, two] * 10:
        activate(shelf, each)
    numbers = [each.number for each in shelf.history()]
    assert numbers == list(range(numbers[0], 21))
    assert 3 <= len(numbers) < 20
    assert len(disk.read(shelf.root / "history.jsonl")) <= 2000


@pytest.mark.parametrize("content", [b"", b"[]", b'{"classifier": [{}]}', b"\xff\xfe", b"[" * 9999])
def test_a_damaged_choice_is_said_and_the_settings_count(
    shelf: Shelf, disk: Disk, caplog: pytest.LogCaptureFixture, content: bytes
) -> None:
    one = admitted(shelf, b"one")
    activate(shelf, one)
    disk.write(shelf.root / "active.json", content)
    assert shelf.active(ROLE) is None
    assert "the models that the settings name run" in caplog.text
    activate(shelf, one)
    assert shelf.active(ROLE) == one


def test_a_damaged_verdict_does_not_hide_a_version(shelf: Shelf, disk: Disk) -> None:
    one, two = admitted(shelf, b"one"), admitted(shelf, b"two")
    disk.write(shelf.folder(two) / "verdict.json", b"{")
    assert [each.version for each in shelf.versions("mood")] == [one, two]


def test_what_lies_beside_is_left_alone(shelf: Shelf, disk: Disk) -> None:
    admitted(shelf, b"one")
    for path in (shelf.root / "notes.txt", shelf.root / "mood" / ".mine.part"):
        disk.write(path, b"mine")
    disk.make_folder(shelf.root / "mood" / "drafts")
    again = opened(shelf.root, disk)
    assert again.names() == ("mood",)
    assert len(again.versions("mood")) == 1
    assert disk.names(shelf.root / "mood")[:1] == (".mine.part",)
    assert disk.read(shelf.root / "notes.txt") == b"mine"


def test_reading_an_empty_shelf_makes_nothing(tmp_path: Path) -> None:
    shelf = opened(tmp_path / "models")
    assert (shelf.names(), shelf.history(), shelf.active(ROLE)) == ((), (), None)
    assert not (tmp_path / "models").exists()


def dropped(shelf: Shelf, disk: Disk, name: str = "broken.tflite", content: bytes = b"no") -> Path:
    disk.write(shelf.root.parent / name, content)
    return shelf.root.parent / name


def test_a_refused_file_lies_beside_its_reason(shelf: Shelf, disk: Disk) -> None:
    admitted(shelf, b"one")
    texts = [shelf.reject(dropped(shelf, disk), reason) for reason in ("It hangs.", "It lies.")]
    assert [text.name for text in texts] == [
        "broken.tflite.reason.txt",
        "broken.tflite-2.reason.txt",
    ]
    assert [disk.read(text) for text in texts] == [b"It hangs.\n", b"It lies.\n"]
    assert disk.read(shelf.root / "rejected" / "broken.tflite-2") == b"no"
    assert "broken.tflite" not in disk.names(shelf.root.parent)


def test_a_refused_folder_is_moved_as_a_whole(shelf: Shelf, disk: Disk) -> None:
    admitted(shelf, b"one")
    folder = shelf.root.parent / "mask"
    disk.make_folder(folder)
    disk.write(folder / "labels.txt", b"yes\n")
    shelf.reject(folder, "It has no model.")
    assert disk.read(shelf.root / "rejected" / "mask" / "labels.txt") == b"yes\n"


def test_a_long_name_is_shortened(shelf: Shelf, disk: Disk) -> None:
    admitted(shelf, b"one")
    text = shelf.reject(dropped(shelf, disk, "ü" * 120 + ".tflite"), "It is broken.")
    assert text.name == "ü" * 100 + ".reason.txt"


def test_a_file_that_vanished_leaves_its_reason(shelf: Shelf, disk: Disk) -> None:
    text = shelf.reject(shelf.root.parent / "gone.tflite", "It is broken.")
    assert b"not kept: it was gone by then" in disk.read(text)


def rejected(shelf: Shelf, disk: Disk, **bounds: int) -> Rejected:
    admitted(shelf, b"one")
    return Rejected(shelf.root / "rejected", disk, **bounds)


def names(shelf: Shelf, disk: Disk) -> list[str]:
    there = disk.names(shelf.root / "rejected")
    return [name for name in there if not name.endswith(".reason.txt")]


@pytest.mark.parametrize("bounds", [{"most_files": 2}, {"most_bytes": 250}])
def test_the_oldest_of_the_refused_go(shelf: Shelf, disk: Disk, bounds: dict[str, int]) -> None:
    kept = rejected(shelf, disk, **bounds)
    for name in ("a", "b", "c"):
        text = kept.take(dropped(shelf, disk, name, bytes(100)), "It is broken.")
        assert text.name in disk.names(shelf.root / "rejected")
    assert names(shelf, disk) == ["b", "c"]
    assert len(disk.names(shelf.root / "rejected")) == 4


def test_what_is_larger_than_all_that_is_kept_is_not_kept(shelf: Shelf, disk: Disk) -> None:
    kept = rejected(shelf, disk, most_bytes=99)
    text = kept.take(dropped(shelf, disk, content=bytes(100)), "It is broken.")
    assert disk.read(text) == (
        b"It is broken.\n(The file itself is not kept: its 100 bytes are too many.)\n"
    )
    assert names(shelf, disk) == []
    assert "broken.tflite" not in disk.names(shelf.root.parent)


def ticking(seconds: float) -> Callable[[], float]:
    times = itertools.count(0, seconds)
    return lambda: next(times)


def test_a_shelf_that_another_program_holds_is_waited_for_and_then_said(tmp_path: Path) -> None:
    pauses: list[float] = []
    disk = SystemDisk(clock=ticking(PATIENCE_S / 4), wait=pauses.append)
    shelf = opened(tmp_path, disk)
    with SystemDisk().held(tmp_path), pytest.raises(ShelfUnwritable, match="another program"):
        admitted(shelf, b"one")
    assert len(pauses) == 3
    assert shelf.names() == ()
    assert admitted(shelf, b"one") == version(b"one")


def test_a_folder_that_may_not_be_written_is_said(tmp_path: Path) -> None:
    class Forbidden(SystemDisk):
        def make_folder(self, folder: Path) -> None:
            raise OSError(errno.EACCES, "Permission denied")

    with pytest.raises(ShelfUnwritable, match="let the user of this program write there"):
        admitted(opened(tmp_path / "models", Forbidden()), b"one")


def test_no_program_of_ours_removes_what_a_link_leads_to(tmp_path: Path) -> None:
    (tmp_path / "precious").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "precious")
    SystemDisk().remove(tmp_path / "link")
    assert (tmp_path / "precious").is_dir()


def test_two_at_once_are_both_admitted(tmp_path: Path) -> None:
    shelves = [opened(tmp_path / "models") for _ in range(2)]
    contents = [str(number).encode() for number in range(4)]
    with ThreadPoolExecutor(2) as threads:
        found = list(threads.map(admitted, itertools.cycle(shelves), contents))
    shelved = shelves[0].versions("mood")
    assert {each.version for each in shelved} == set(found)
    assert [each.order for each in shelved] == [4, 3, 2, 1]
