"""The detector's training: it can be killed, it ends calmly, it dwells on what fools it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from edge_runtime.compress import glance_samples, train_glance  # noqa: E402
from edge_runtime.compress.face_scenes import Pools, Syllabus  # noqa: E402
from edge_runtime.compress.glance_net import GlanceNet  # noqa: E402
from edge_runtime.compress.glance_samples import GlanceSamples, Truth, glance_loss  # noqa: E402
from edge_runtime.compress.photos import Photo, pyramid  # noqa: E402
from edge_runtime.compress.scene_stream import Notice, SceneStream  # noqa: E402

NOTHING = np.zeros((0, 4), np.float32)


def photo(faces: int, grey: int = 0) -> Photo:
    rng = np.random.default_rng(faces)
    image = rng.integers(grey, 256, (90, 120)).astype(np.uint8)
    boxes = [[30 + 30 * i, 40, 20, 26] for i in range(faces)]
    return Photo(pyramid(image), np.array(boxes, np.float32).reshape(-1, 4), NOTHING)


@pytest.fixture
def pools() -> Pools:
    return Pools([photo(1), photo(3)], [photo(1)], [photo(2)], [photo(0), photo(0, 250)])


@pytest.fixture
def at_home(pools: Pools, monkeypatch: pytest.MonkeyPatch) -> None:
    """A few pictures instead of the data folder, and a short exam."""
    for module in (train_glance, glance_samples):
        monkeypatch.setattr(module, "read_pools", lambda data, split: pools)
    monkeypatch.setattr("edge_runtime.compress.glance_check.HARD_SCENES", 4)


class Killed(Exception):
    """Somebody pulled the plug."""


def training(work: Path, *, kill_at: float = 2.0, last: bool = False) -> nn.Module:
    """Four minutes in which every reading of the clock is a minute later."""
    clock = iter(range(0, 10_000, 60))

    def on_progress(share: float) -> None:
        if share >= kill_at:
            raise Killed

    return train_glance.trained(
        GlanceNet(stem=4, early=4, width=4, blocks=((), (), ())),
        data=Path("nowhere"),
        work=work,
        seed=1,
        on_progress=on_progress,
        minutes=8,
        last=last,
        workers=0,
        clock=lambda: float(next(clock)),
    )


@pytest.mark.usefixtures("at_home")
def test_a_killed_training_goes_on_where_it_last_looked_up(tmp_path: Path) -> None:
    with pytest.raises(Killed):
        training(tmp_path, kill_at=6 / 8)
    state = torch.load(tmp_path / "latest.pt")
    assert (state["step"], state["seconds"]) == (5, 300)
    net = training(tmp_path)
    assert torch.load(tmp_path / "latest.pt")["step"] == 8
    assert len((tmp_path / "checks.jsonl").read_text("utf-8").splitlines()) == 2
    best = torch.load(tmp_path / "best.pt")["average"]
    assert all(torch.equal(value, best[key]) for key, value in net.state_dict().items())


@pytest.mark.usefixtures("at_home")
def test_the_last_weights_are_kept_where_a_recipe_asks_for_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    figures = iter((0.9, 0.1))  # the second check is the worse one
    monkeypatch.setattr(train_glance, "check", lambda detect, exams: {"web@0.1": next(figures)})
    net = training(tmp_path, last=True)
    kept = {name: torch.load(tmp_path / name)["average"] for name in ("best.pt", "latest.pt")}
    state = net.state_dict()
    same = {n: all(torch.equal(v, a[k]) for k, v in state.items()) for n, a in kept.items()}
    assert same == {"best.pt": False, "latest.pt": True}


@pytest.mark.usefixtures("at_home")
def test_a_finished_training_is_not_run_again(tmp_path: Path) -> None:
    training(tmp_path)
    kept = (tmp_path / "latest.pt").stat().st_mtime_ns
    training(tmp_path)
    assert (tmp_path / "latest.pt").stat().st_mtime_ns == kept


def test_what_fools_the_net_is_shown_more_often(pools: Pools) -> None:
    notice = Notice(2)
    notice.write(Syllabus(0.0, np.array([0.0, 1.0], np.float32)))
    assert _white_share(pools, notice) > 1.25 * _white_share(pools, Notice(2))


def test_the_last_scenes_are_calm(pools: Pools) -> None:
    wild, calm = Notice(2), Notice(2)
    calm.write(Syllabus(1.0))
    assert _faces(pools, calm) < 0.95 * _faces(pools, wild)  # fewer crowds and mosaics


@pytest.mark.usefixtures("at_home")
def test_scenes_are_a_recipes_samples() -> None:
    samples = GlanceSamples(Path("nowhere"))
    images, labels = next(samples.batches(6, 1))
    again, _ = next(samples.batches(6, 1))
    assert torch.equal(images, again)
    assert images.shape == (6, 1, 120, 160)
    assert float(images.max()) <= 1
    truth = Truth.of(labels)
    assert truth.faces.shape == (6, 20, 4)
    assert torch.equal(truth.as_labels(), labels)
    loss = glance_loss(images, GlanceNet()(images), labels)
    assert torch.isfinite(loss)
    held, truths = samples.held()
    assert (len(held), Truth.of(truths).long_sides.tolist()) == (2, [160.0, 160.0])


def _scenes(pools: Pools, notice: Notice) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    stream = iter(SceneStream(pools, 3, notice))
    for images, faces, _ in (next(stream) for _ in range(12)):
        for image, boxes in zip(images.numpy(), faces.numpy(), strict=True):
            yield image, boxes[boxes[:, 2] > 0]


def _white_share(pools: Pools, notice: Notice) -> float:
    """How many scenes without faces show the white picture."""
    empty = [image for image, faces in _scenes(pools, notice) if not len(faces)]
    return sum(float(np.median(image)) > 200 for image in empty) / len(empty)


def _faces(pools: Pools, notice: Notice) -> float:
    """How many faces a scene has on average."""
    return float(np.mean([len(faces) for _, faces in _scenes(pools, notice)]))
