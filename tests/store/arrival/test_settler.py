from __future__ import annotations

import pytest

from edge_runtime.store.arrival.listing import Listing, Seen, Stat
from edge_runtime.store.arrival.settler import Patience, Settled, Settler

PATIENCE = Patience(settle_s=1, unsure_s=5, labels_s=2, model_s=60)


def file(size: int = 9, at: int = 1) -> Seen:
    return Seen((Stat("", size, at, at),))


def folder(*names: str, unfinished: bool = False) -> Seen:
    return Seen(tuple(Stat(name, 9, 1, 1) for name in names), unfinished)


class Story:
    """A folder over time: one look a second, everything closed unless said otherwise."""

    def __init__(self) -> None:
        self.now = 0.0
        self.content: dict[str, bytes] = {}
        self.state: bool | None = True
        self.settler = Settler(
            digest=lambda name, _: self.content.get(name, b"same"),
            closed=lambda *_: self.state,
            patience=PATIENCE,
        )

    def look(self, listing: Listing, times: int = 1) -> list[Settled]:
        found: list[Settled] = []
        for _ in range(times):
            found += self.settler.feed(listing, self.now)
            self.now += 1
        return found


@pytest.fixture
def story() -> Story:
    return Story()


def test_archive_arrives_once_it_stayed_the_same(story: Story) -> None:
    assert story.look({"a.zip": file()}, 2) == []
    assert story.settler.pending
    assert story.look({"a.zip": file()}) == [Settled("a.zip", None)]
    assert story.look({"a.zip": file()}, 9) == []
    assert not story.settler.pending


def test_file_in_fifty_slow_chunks_arrives_once_and_whole(story: Story) -> None:
    for chunk in range(50):
        assert story.look({"a.zip": file(chunk, chunk)}, 2) == []
    assert story.look({"a.zip": file(50, 50)}, 5) == [Settled("a.zip", None)]


def test_open_file_is_waited_for_however_long_nothing_comes(story: Story) -> None:
    story.state = False
    assert story.look({"a.zip": file()}, 100) == []
    story.state = True
    assert story.look({"a.zip": file()}, 2) == [Settled("a.zip", None)]


def test_where_closing_cannot_be_told_the_wait_is_longer(story: Story) -> None:
    story.state = None
    assert story.look({"a.zip": file()}, 5) == []
    assert story.look({"a.zip": file()}) == [Settled("a.zip", None)]


def test_content_that_changes_behind_size_and_time_is_noticed(story: Story) -> None:
    listing = {"a.zip": file()}
    assert story.look(listing, 2) == []
    story.content["a.zip"] = b"other"
    assert story.look(listing) == []
    assert story.look(listing) == [Settled("a.zip", None)]


def test_replaced_while_it_settles_begins_anew(story: Story) -> None:
    story.look({"a.zip": file(9, 1)}, 2)
    assert story.look({"a.zip": file(9, 2)}, 2) == []
    assert story.look({"a.zip": file(9, 2)}) == [Settled("a.zip", None)]


def test_replaced_after_it_arrived_arrives_again(story: Story) -> None:
    assert len(story.look({"a.zip": file(9, 1)}, 5)) == 1
    assert story.look({"a.zip": file(9, 2)}, 5) == [Settled("a.zip", None)]


def test_two_at_once_both_arrive(story: Story) -> None:
    listing = {"a.zip": file(), "b.zip": file()}
    assert story.look(listing, 3) == [Settled("a.zip", None), Settled("b.zip", None)]


def test_taken_away_and_dropped_again_arrives_again(story: Story) -> None:
    assert len(story.look({"a.zip": file()}, 5)) == 1
    story.look({})
    assert story.look({"a.zip": file()}, 5) == [Settled("a.zip", None)]


def test_taken_away_while_it_settles_is_forgotten(story: Story) -> None:
    story.look({"a.zip": file()}, 2)
    assert story.look({}, 3) == []
    assert not story.settler.pending


def test_lone_model_waits_a_moment_for_labels(story: Story) -> None:
    assert story.look({"a.tflite": file()}, 4) == []
    assert story.look({"a.tflite": file()}) == [Settled("a.tflite", None)]


@pytest.mark.parametrize("labels", ["a.txt", "labels.txt", "a_labels.txt"])
def test_model_and_its_labels_are_one_arrival(story: Story, labels: str) -> None:
    assert story.look({"a.tflite": file()}, 3) == []
    both = {"a.tflite": file(), labels: file()}
    assert story.look(both, 2) == []
    assert story.look(both) == [Settled("a.tflite", labels)]
    assert story.look(both, 99) == []


def test_labels_wait_for_a_model_in_slow_chunks(story: Story) -> None:
    for chunk in range(50):
        assert story.look({"a.txt": file(), "a.tflite": file(chunk, chunk)}, 2) == []
    both = {"a.txt": file(), "a.tflite": file(50, 50)}
    assert story.look(both, 3) == [Settled("a.tflite", "a.txt")]


def test_labels_that_come_late_make_the_model_arrive_again(story: Story) -> None:
    assert story.look({"a.tflite": file()}, 5) == [Settled("a.tflite", None)]
    both = {"a.tflite": file(), "labels.txt": file()}
    assert story.look(both, 5) == [Settled("a.tflite", "labels.txt")]


def test_labels_of_nobody_arrive_alone_in_the_end(story: Story) -> None:
    assert story.look({"a.txt": file()}, 60) == []
    assert story.look({"a.txt": file()}, 5) == [Settled("a.txt", None)]


def test_labels_txt_beside_two_models_belongs_to_neither(story: Story) -> None:
    listing = {"a.tflite": file(), "b.tflite": file(), "labels.txt": file()}
    assert story.look(listing, 9) == [Settled("a.tflite", None), Settled("b.tflite", None)]
    named = {"a.tflite": file(), "b.tflite": file(), "b.txt": file(), "labels.txt": file()}
    pairs = [Settled("a.tflite", "labels.txt"), Settled("b.tflite", "b.txt")]
    assert sorted(Story().look(named, 9)) == pairs


def test_folder_waits_for_its_model(story: Story) -> None:
    assert story.look({"a": folder()}, 9) == []
    assert story.look({"a": folder("labels.txt")}, 9) == []
    assert story.look({"a": folder("labels.txt", "m.tflite")}, 3) == [Settled("a", None)]
    assert Story().look({"b": folder("readme.md")}, 99) == [Settled("b", None)]


def test_folder_with_an_unfinished_file_waits(story: Story) -> None:
    assert story.look({"a": folder("m.tflite", "l.txt.part", unfinished=True)}, 99) == []
    assert story.look({"a": folder("m.tflite", "l.txt")}, 3) == [Settled("a", None)]
