"""Spoiled files are refused with a reason, or truly run: a few of them on every change."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge_runtime.engine.litert import available_backends
from tests.store.fuzz.judging import judge, wrong
from tests.store.fuzz.spoiled import WAYS, originals, spoil

FILES = 40


@pytest.mark.slow
@pytest.mark.skipif(not available_backends(), reason="no interpreter installed")
def test_spoiled_files_are_refused_with_a_reason_or_truly_run(tmp_path: Path) -> None:
    by = set()
    for spoiled in spoil(originals(tmp_path), FILES, seed=4):
        judged = judge(spoiled, tmp_path)
        assert wrong(spoiled, judged, tmp_path) is None, (spoiled.way, judged)
        by.add(judged.by)
    assert {"reader", "trial"} <= by  # else the seed tries too little


def test_the_same_seed_spoils_alike_and_every_way_meets_every_model(tmp_path: Path) -> None:
    sound = originals(tmp_path)
    count = len(WAYS) * len(sound)
    first, again = (list(spoil(sound, count, seed=1)) for _ in range(2))
    assert [each.content for each in first] == [each.content for each in again]
    assert len({(each.way, each.original.manifest.name) for each in first}) == count
    other = list(spoil(sound, count, seed=2))
    assert [each.content for each in first] != [each.content for each in other]
    unspoiled = [each.way for each in first if each.content == each.original.content]
    assert unspoiled == []
