"""The setting reaches the C library, and its absence is no error."""

from __future__ import annotations

from types import SimpleNamespace

from edge_runtime.service.allocator import M_ARENA_MAX, share_one_heap


def test_the_number_of_heaps_is_set_to_one() -> None:
    asked = []

    def mallopt(parameter: int, value: int) -> int:
        asked.append((parameter, value))
        return 1

    assert share_one_heap(lambda: SimpleNamespace(mallopt=mallopt))
    assert asked == [(M_ARENA_MAX, 1)]


def test_a_library_without_the_setting_is_left_alone() -> None:
    assert not share_one_heap(SimpleNamespace)


def test_a_refusal_is_told() -> None:
    assert not share_one_heap(lambda: SimpleNamespace(mallopt=lambda *_: 0))
