"""From one version to another, back where that one does not run, and back after any power cut."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_runtime.errors import UpdateRefused, UpdateRolledBack, UpdateStuck
from edge_runtime.update.health import SETTLED_S
from edge_runtime.update.keep import FOLDER, RECORD, Keep
from edge_runtime.update.record import Step
from edge_runtime.update.update import Conditions
from tests.store.power_cut import Left, MemoryDisk, PowerCut
from tests.update.board import Board, package

OLD, NEW = "1.0.0", "1.1.0"


@pytest.fixture
def board(tmp_path: Path) -> Board:
    return board_at(tmp_path)


def board_at(root: Path, runs: str = "ready") -> Board:
    board = Board(root)
    board.put(package(OLD, runs=runs))
    return board


def offer(board: Board, content: bytes, conditions: Conditions = Conditions()) -> str:  # noqa: B008
    def pieces() -> Iterator[bytes]:
        yield content[:10]
        yield content[10:]

    return board.update().install(pieces(), conditions)


def packages(board: Board) -> int:
    return sum(name.endswith(".deb") for name in board.disk.names(FOLDER))


def require_tidy(board: Board) -> None:
    """Nothing half done, nothing that would run at the next boot."""
    names = set(board.disk.names(FOLDER))
    assert {name for name in names if not name.endswith(".deb")} <= {RECORD}
    assert board.update().record().step is Step.IDLE


def test_a_new_version_that_runs_stays(board: Board) -> None:
    told = offer(board, package(NEW))
    assert told == f"{NEW} is installed and runs as well as the version before"
    assert (board.installed, board.service.version) == (NEW, NEW)
    assert packages(board) == 2
    require_tidy(board)


def test_it_is_watched_for_a_while_before_it_counts(board: Board) -> None:
    offer(board, package(NEW))
    assert SETTLED_S <= board.now < SETTLED_S + 3


def test_a_slow_start_is_waited_for(board: Board) -> None:
    offer(board, package(NEW, runs="late"), Conditions(within_s=90))
    assert board.service.version == NEW


@pytest.mark.parametrize(
    ("runs", "why"),
    [
        ("crashes", "it ended: activating, exit-code, exit code 1"),
        ("ends", "it ended: failed, exit-code, exit code 1"),
        ("waits", "it was not well within 30 s: activating, success"),
        ("late", "it was not well within 30 s: activating, success"),
    ],
)
def test_a_new_version_that_does_not_run_is_taken_back(board: Board, runs: str, why: str) -> None:
    with pytest.raises(UpdateRolledBack) as caught:
        offer(board, package(NEW, runs=runs), Conditions(within_s=30))
    told = f"{NEW} was given up: {why}; {OLD} is installed again"
    assert str(caught.value) == told
    assert (board.installed, board.service.version) == (OLD, OLD)
    assert board.update().record().told == told
    require_tidy(board)


def test_a_new_version_that_cannot_be_installed_is_taken_back(board: Board) -> None:
    with pytest.raises(UpdateRolledBack, match="could not be installed: postinst of edge-runtime"):
        offer(board, package(NEW, installs=False))
    assert (board.installed, board.service.version) == (OLD, OLD)
    require_tidy(board)


def test_frames_that_do_not_flow_are_no_health(board: Board) -> None:
    board.page_of = {NEW: "the camera does not deliver"}
    with pytest.raises(UpdateRolledBack, match="within 30 s: the camera does not deliver"):
        offer(board, package(NEW), Conditions(within_s=30))
    assert board.service.version == OLD


def test_without_a_camera_before_none_is_expected_after(tmp_path: Path) -> None:
    board = board_at(tmp_path, runs="waits")
    offer(board, package(NEW, runs="waits"))
    assert board.service.version == NEW
    with pytest.raises(UpdateRolledBack, match="it ended"):
        offer(board, package("1.2.0", runs="crashes"))


def test_what_did_not_run_before_is_not_judged(tmp_path: Path) -> None:
    board = board_at(tmp_path, runs="ends")
    assert "it was not judged" in offer(board, package(NEW, runs="ends"))
    assert board.installed == NEW


def test_what_was_stopped_stays_stopped(board: Board) -> None:
    board.service.runs = ""
    assert "nobody knows yet how it runs" in offer(board, package(NEW))
    assert (board.installed, board.service.runs) == (NEW, "")


def test_two_versions_are_kept_at_most(board: Board) -> None:
    for minor in range(1, 5):
        offer(board, package(f"1.{minor}.0"))
    assert packages(board) == 2


def test_going_back_and_forth(board: Board) -> None:
    with pytest.raises(UpdateRefused, match="no earlier version is kept"):
        board.update().roll_back(60)
    offer(board, package(NEW))
    board.update().roll_back(60)
    assert board.service.version == OLD
    board.update().roll_back(60)
    assert board.service.version == NEW
    require_tidy(board)


def test_a_version_installed_by_apt_meanwhile_becomes_the_way_back(board: Board) -> None:
    offer(board, package(NEW))
    board.put(package("2.0.0"))
    with pytest.raises(UpdateRolledBack):
        offer(board, package("2.1.0", runs="ends"))
    assert board.service.version == "2.0.0"


def test_another_program_that_installs_now_is_waited_for(board: Board) -> None:
    board.locked_for = 40
    with pytest.raises(UpdateRolledBack):
        offer(board, package(NEW, runs="ends"))
    assert board.service.version == OLD


@pytest.mark.parametrize(
    ("content", "conditions", "why"),
    [
        (
            b"<html>not found</html>",
            Conditions(),
            "no Debian package of ours: dpkg-deb: error: not",
        ),
        (b"", Conditions(), "that file is empty"),
        (package(NEW, name="other"), Conditions(), "the package other; expected edge-runtime"),
        (package(NEW, architecture="amd64"), Conditions(), "for amd64, and this machine is arm64"),
        (
            package("0.9.0"),
            Conditions(),
            "0.9.0, older than the installed 1.0.0: with --allow-down",
        ),
        (package(NEW), Conditions(sha256="0" * 64), "not the expected one: its SHA-256 is "),
        (package(NEW, runs="unmet"), Conditions(), "would not install that package: E: Unmet dep"),
    ],
)
def test_what_is_no_update_changes_nothing(
    board: Board, content: bytes, conditions: Conditions, why: str
) -> None:
    with pytest.raises(UpdateRefused, match=why):
        offer(board, content, conditions)
    assert (board.service.version, board.service.starts) == (OLD, 1)
    assert packages(board) == 0
    require_tidy(board)


def test_an_older_version_on_request(board: Board) -> None:
    offer(board, package("0.9.0"), Conditions(allow_downgrade=True))
    assert board.service.version == "0.9.0"


def test_without_room(board: Board) -> None:
    board.free = 10 << 20
    with pytest.raises(UpdateRefused, match=r"needs 64 MiB of free space .* there are 10 MiB"):
        offer(board, package(NEW))


def test_a_file_without_end(board: Board) -> None:
    keep = Keep(board.disk)
    with keep.held(), pytest.raises(UpdateRefused, match="larger than 2 MiB"):
        keep.receive((bytes(1 << 20) for _ in range(100)), most_bytes=2 << 20)


def test_not_installed_as_a_package(tmp_path: Path) -> None:
    with pytest.raises(UpdateRefused, match="not installed as a Debian package here"):
        offer(Board(tmp_path), package(NEW))


def test_a_damaged_installation_is_no_way_back(board: Board) -> None:
    board.disk.write(Path("/usr/lib/edge-runtime/web.py"), b'"flipped"')
    with pytest.raises(UpdateRefused, match="is damaged"):
        offer(board, package(NEW))


def test_a_damaged_record_is_told(board: Board) -> None:
    offer(board, package(NEW))
    board.disk.write(FOLDER / RECORD, b"{")
    with pytest.raises(UpdateStuck, match=r"record\.json is damaged"):
        offer(board, package("1.2.0"))


def test_neither_version_runs(board: Board) -> None:
    offer(board, package(NEW))
    board.service.runs = "ready"
    # The way back was spoiled by something else: it does not come up any more.
    kept = next(n for n in board.disk.names(FOLDER) if not n.startswith("packed") and ".deb" in n)
    board.disk.write(FOLDER / kept, package(NEW, runs="ends"))
    with pytest.raises(
        UpdateStuck, match=r"1\.1\.0 is installed again, but it does not run as before"
    ):
        offer(board, package("1.2.0", runs="ends"))


# Power cuts, and the process killed, before every single step.


def cut_short(root: Path, step: int, content: bytes) -> Board | None:
    """A board whose power went before ``step`` of an update; None when it was over before."""
    board = board_at(root)
    board.disk.cut_before = board.disk.steps + step
    try:
        offer(board, content, Conditions(within_s=30))
    except PowerCut:
        return board
    except UpdateRolledBack:
        return None
    return None


def require_one_whole_version(board: Board, allowed: set[str]) -> None:
    assert board.installed in allowed
    assert board.service.version == board.installed
    assert board.service.runs == "ready"
    assert not board.is_cut_short
    assert board.update().record().step is Step.IDLE


@pytest.mark.parametrize("left", Left)
@pytest.mark.parametrize("runs", ["ready", "ends"])
def test_the_power_goes_at_any_step(tmp_path: Path, left: Left, runs: str) -> None:
    step, seen = 1, set()
    while (board := cut_short(tmp_path, step, package(NEW, runs=runs))) is not None:
        step += 1
        booted = board.boot(left)
        require_one_whole_version(booted, {OLD, NEW} if runs == "ready" else {OLD})
        seen.add(booted.installed)
        # And the next update goes as if nothing had been.
        offer(booted, package("1.2.0"))
        require_one_whole_version(booted, {"1.2.0"})
        require_tidy(booted)
    assert step > 20
    assert seen == ({OLD, NEW} if runs == "ready" else {OLD})


@pytest.mark.parametrize("left", Left)
def test_the_power_goes_again_while_it_is_mended(tmp_path: Path, left: Left) -> None:
    step, mended = 1, 0
    while (board := cut_short(tmp_path, step, package(NEW))) is not None:
        step += 1
        again = 1
        while True:
            second = Board(tmp_path, board.disk.after_power_cut(left))
            second.disk.cut_before = second.disk.steps + again
            try:
                second.finish_boot()
                break
            except PowerCut:
                require_one_whole_version(second.boot(left), {OLD, NEW})
                again += 1
                mended += 1
    assert mended > 100


@pytest.mark.parametrize("runs", ["ready", "ends"])
def test_it_is_killed_at_any_step(tmp_path: Path, runs: str) -> None:
    step = 1
    while (board := cut_short(tmp_path, step, package(NEW, runs=runs))) is not None:
        step += 1
        board.disk = MemoryDisk(board.disk.root)  # nothing is lost, and systemd runs on
        if board.is_cut_short:
            board.update().resume()
        board._start()
        require_one_whole_version(board, {OLD, NEW} if runs == "ready" else {OLD})


def test_an_update_waits_for_the_one_that_was_cut_short(tmp_path: Path) -> None:
    refused, step = 0, 1
    while (board := cut_short(tmp_path, step, package(NEW))) is not None:
        step += 1
        board.disk = MemoryDisk(board.disk.root)
        if board.update().record().step is not Step.IDLE:
            refused += 1
            with pytest.raises(UpdateRefused, match="cut short and has to be finished first"):
                offer(board, package(NEW))
    assert refused > 5


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EROFS])
def test_the_card_refuses_at_any_step(tmp_path: Path, error: int) -> None:
    step = 1
    while True:
        board = board_at(tmp_path)
        board.disk.fails_from, board.disk.error = board.disk.steps + step, error
        try:
            offer(board, package(NEW), Conditions(within_s=30))
        except (UpdateRefused, UpdateStuck, UpdateRolledBack):
            # Whatever it said: with room again, the next boot has one whole version.
            booted = Board(tmp_path, MemoryDisk(board.disk.root))
            booted.finish_boot()
            require_one_whole_version(booted, {OLD, NEW})
        if board.disk.steps < board.disk.fails_from:
            break
        step += 1
    assert step > 20
