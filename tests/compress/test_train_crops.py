"""The classifiers' training: by the clock, through kills, each teacher asked about strangers."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch import Tensor, nn  # noqa: E402

from edge_runtime.compress import train_crops  # noqa: E402
from edge_runtime.compress.course import Course, Plan  # noqa: E402
from edge_runtime.compress.crop_net import CropNet  # noqa: E402
from edge_runtime.compress.crop_samples import UNKNOWN, CropSamples, Group, Portrait  # noqa: E402
from edge_runtime.compress.crop_teacher import Faculty, TeacherNet  # noqa: E402
from edge_runtime.compress.photos import photo_of  # noqa: E402
from edge_runtime.compress.train_crops import doubting_loss, trained  # noqa: E402
from edge_runtime.errors import TrainingDiverged  # noqa: E402


class Killed(Exception):
    """Somebody pulled the plug."""


def portrait(label: int, fold: int) -> Portrait:
    picture = np.full((40, 40), 60 if label else 180, np.uint8)
    return Portrait(photo_of(picture, np.array([[20.0, 20, 20, 20]], np.float32)), label, fold)


def samples(data: Path) -> CropSamples:
    """Dark faces are of class 1."""
    del data
    groups = [Group([portrait(k, 0), portrait(k, 1)], 1.0) for k in (0, 1, UNKNOWN)]
    return CropSamples(groups, [portrait(0, 0)])


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nets and batches that learn in no time."""
    monkeypatch.setattr(train_crops, "BATCH", 6)
    monkeypatch.setattr(train_crops, "TeacherNet", lambda: TeacherNet((4, 4), (0, 1)))


def training(work: Path, shares: list[float], *, kill_at: float = 2.0) -> nn.Module:
    """Two teachers and a net, four minutes each, every reading of the clock half a minute later."""
    clock = iter(range(0, 10_000, 30))

    def on_progress(share: float) -> None:
        shares.append(round(share, 4))
        if share >= kill_at:
            raise Killed

    return trained(
        CropNet(4, 4, 4),
        data=Path("nowhere"),
        work=work,
        seed=1,
        on_progress=on_progress,
        source=f"{__name__}:samples",
        minutes=4,
        teacher_minutes=4,
        clock=lambda: float(next(clock)),
    )


def test_a_killed_training_goes_on_where_it_was_last_kept(tmp_path: Path) -> None:
    before: list[float] = []
    with pytest.raises(Killed):
        training(tmp_path, before, kill_at=0.5)
    after: list[float] = []
    net = training(tmp_path, after)
    assert before[-1] == pytest.approx(0.5, abs=0.05)
    assert 0.4 < after[0] < 0.6
    assert after == sorted(after)
    assert after[-1] == 1
    assert torch.load(tmp_path / "student.pt", weights_only=True)["seconds"] == 240
    again: list[float] = []
    same = training(tmp_path, again)
    assert again == []
    assert all(
        torch.equal(one, other)
        for one, other in zip(net.state_dict().values(), same.state_dict().values(), strict=True)
    )


def test_no_teacher_is_asked_about_people_it_has_learnt_from() -> None:
    groups = train_crops._without(1, samples(Path()).groups)
    assert {p.fold for group in groups for p in group.portraits} == {0}

    class Says(nn.Module):
        def __init__(self, value: float) -> None:
            super().__init__()
            self.value = value

        def forward(self, x: Tensor) -> Tensor:
            return torch.full((len(x), 2), self.value)

    answers = Faculty([Says(0.0), Says(1.0)])(torch.zeros(3, 1, 48, 48), torch.tensor([1, 0, 1]))
    assert answers[:, 0].tolist() == [1, 0, 1]


def test_a_label_the_net_firmly_denies_weighs_less() -> None:
    label = torch.tensor([0])
    denied = torch.tensor([[-4.0, 4.0]], requires_grad=True)
    doubting_loss(denied, denied, label).backward()
    assert denied.grad is not None
    plain = denied.detach().softmax(1)[0, 1]
    assert denied.grad[0, 1] == pytest.approx((1 - train_crops.DOUBT) * float(plain), abs=1e-4)


def test_a_loss_that_is_no_number_ends_the_course(tmp_path: Path) -> None:
    plan = Plan(minutes=1, rate=1e-3, weight_decay=0, seed=1)
    course = Course(nn.Linear(1, 1), plan, tmp_path / "net.pt", clock=lambda: 0.0)
    with pytest.raises(TrainingDiverged, match="step 1"):
        course.run(lambda net, rng: torch.tensor(math.nan), lambda share: None)


def _ticks() -> Iterator[float]:
    yield from (float(n) for n in range(1000))


def test_the_average_learns_what_the_net_learns(tmp_path: Path) -> None:
    ticks = _ticks()
    plan = Plan(minutes=12, rate=0.1, weight_decay=0, seed=1)
    course = Course(nn.Linear(1, 1), plan, tmp_path / "net.pt", clock=lambda: next(ticks))

    def loss(net: nn.Module, rng: np.random.Generator) -> Tensor:
        x = torch.from_numpy(rng.standard_normal((16, 1)).astype(np.float32))
        error: Tensor = (net(x) - 3 * x).square().mean()
        return error

    net = course.run(loss, lambda share: None)
    assert isinstance(net, nn.Linear)
    assert net.weight.item() == pytest.approx(3, abs=1)
