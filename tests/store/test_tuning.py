from __future__ import annotations

import json
from pathlib import Path

import pytest

from edge_runtime.errors import ShelfUnwritable
from edge_runtime.store.shelf.disk import SystemDisk
from edge_runtime.store.tuning import Conditions, Setup, Tuned, Tunings

PI = Conditions("Raspberry Pi 3 Model B Plus", 4, "litert 2.3.0")
FAST = Setup("small", "a" * 64, 2, True, 1.5)
SLOW = Setup("model", "b" * 64, 1, False, 4.0)
TUNED = Tuned("b" * 64, PI, (FAST, SLOW))


def test_what_was_measured_is_read_back(tmp_path: Path) -> None:
    Tunings(tmp_path / "state" / "tuned.json").put(TUNED)
    assert Tunings(tmp_path / "state" / "tuned.json").of("b" * 64) == (TUNED,)
    assert Tunings(tmp_path / "state" / "tuned.json").of("a" * 64) == ()


def test_later_measurement_counts_other_boards_stay(tmp_path: Path) -> None:
    tunings = Tunings(tmp_path / "tuned.json")
    other = Tuned("b" * 64, PI._replace(board="Raspberry Pi 5"), (SLOW,))
    again = Tuned("b" * 64, PI, (SLOW,))
    for each in (TUNED, other, again):
        tunings.put(each)
    assert tunings.of("b" * 64) == (other, again)


def test_fastest_of_all_or_on_so_many_threads() -> None:
    assert [TUNED.fastest(threads) for threads in (None, 1, 2, 3)] == [FAST, SLOW, FAST, None]


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b'{"a": 1}', b'[{"sha256": "b"}]', b"\xff"])
def test_damaged_file_counts_as_none_and_is_replaced(
    content: bytes, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "tuned.json"
    file.write_bytes(content)
    assert Tunings(file).of("b" * 64) == ()
    assert "settings decide how models run" in caplog.text
    Tunings(file).put(TUNED)
    assert Tunings(file).of("b" * 64) == (TUNED,)


@pytest.mark.parametrize("broken", [{"threads": 0}, {"threads": "x"}, {"median_ms": None}])
def test_setup_that_makes_no_sense_is_not_used(broken: dict[str, object], tmp_path: Path) -> None:
    file = tmp_path / "tuned.json"
    entry = TUNED.as_fields()
    entry["setups"][0] |= broken
    file.write_text(json.dumps([entry]))
    assert Tunings(file).of("b" * 64) == ()


class FullDisk(SystemDisk):
    def sync(self, path: Path) -> None:
        if path.name.endswith(".part"):
            raise OSError(28, "No space left on device")
        super().sync(path)


def test_full_disk_leaves_what_was_there(tmp_path: Path) -> None:
    file = tmp_path / "tuned.json"
    Tunings(file).put(TUNED)
    with pytest.raises(ShelfUnwritable, match="free some space there"):
        Tunings(file, FullDisk()).put(Tuned("c" * 64, PI, (SLOW,)))
    assert Tunings(file).of("b" * 64) == (TUNED,)
    assert [each.name for each in tmp_path.iterdir()] == ["tuned.json"]
