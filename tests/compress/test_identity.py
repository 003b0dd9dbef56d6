"""`face-id`: what it learns from, its losses, a training that runs, a file within its budget."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from edge_runtime.compress import train_identity  # noqa: E402
from edge_runtime.compress.identity_net import SIDE, IdentityNet  # noqa: E402
from edge_runtime.compress.identity_samples import (  # noqa: E402
    CALM,
    HARD,
    Hardship,
    IdentitySamples,
    random_face,
    samples_of,
)
from edge_runtime.compress.known_faces import KnownFaces, numbered, strongest, unit  # noqa: E402
from edge_runtime.compress.lean_writer import lean_tflite  # noqa: E402
from edge_runtime.compress.qat import quantization_aware  # noqa: E402
from edge_runtime.compress.train_identity import (  # noqa: E402
    rounding_loss,
    taught_loss,
    told_apart,
)
from tests.compress.faces import drawn_face  # noqa: E402

BUDGET = 150_000
NAMES = ("ann", "bob", "ann", "", "cleo", "bob", "")


def samples(data: Path) -> IdentitySamples:
    """Three named people and two strangers; the teacher knows each by its stripes."""
    del data
    sights = [drawn_face(number, name) for number, name in enumerate(NAMES)]
    rng = np.random.default_rng(1)
    own = rng.normal(size=(8, 8)).astype(np.float32)
    stripes = [sum(sight.person.encode()) % 8 for sight in sights]
    vectors = unit(own[stripes] + 0.05 * rng.normal(size=(len(sights), 8)).astype(np.float32))
    return samples_of(KnownFaces(sights, vectors, numbered(sights)), sights[:4])


def test_strangers_are_nobody_else() -> None:
    people = numbered([drawn_face(number, name) for number, name in enumerate(NAMES)])
    assert people[0] == people[2]
    assert people[1] == people[5]
    assert len(set(people.tolist())) == 5


def test_the_strongest_directions_keep_what_there_is() -> None:
    rng = np.random.default_rng(2)
    flat = unit((rng.normal(size=(300, 100)) @ rng.normal(size=(100, 256))).astype(np.float32))
    kept = (flat @ strongest(flat)) @ (flat @ strongest(flat)).T
    np.testing.assert_allclose(kept, flat @ flat.T, atol=1e-4)


def test_a_batch_has_twins_and_targets_lean_towards_the_person() -> None:
    made = samples(Path())
    inputs, chosen = made.draw(9, np.random.default_rng(3))
    assert inputs.shape == (9, 1, SIDE, SIDE)
    assert 0 <= float(inputs.min()) < float(inputs.max()) <= 1
    people = made.faces.people[chosen]
    assert people[0] == people[1]
    assert chosen[0] != chosen[1]
    ann = made.targets[0] @ made.targets[2]
    assert float(ann) > float(made.faces.vectors[0] @ made.faces.vectors[2])


def test_views_of_a_face_differ_but_stay_faces() -> None:
    rng = np.random.default_rng(4)
    views = np.stack([random_face(drawn_face(0, "ann"), rng) for _ in range(30)]).astype(float)
    assert views.std(0).mean() > 5
    likeness = np.corrcoef(views.reshape(30, -1))
    assert np.median(likeness) > 0.3


def test_calm_views_are_more_alike() -> None:
    def spread(hardship: Hardship) -> float:
        rng = np.random.default_rng(6)
        views = [random_face(drawn_face(0, "ann"), rng, hardship) for _ in range(60)]
        return float(np.stack(views).astype(float).std(0).mean())

    assert spread(CALM) < 0.9 * spread(HARD)


def test_losses_are_nothing_for_the_teachers_own_vectors() -> None:
    targets = torch.eye(4)
    assert float(taught_loss(targets, targets)) == pytest.approx(0, abs=1e-6)
    assert float(taught_loss(targets.flip(0), targets)) > 1
    labels = torch.cat([targets, torch.arange(4.0)[:, None]], 1)
    assert float(rounding_loss(targets, 3 * targets, labels)) == pytest.approx(0, abs=1e-6)
    people = torch.arange(4)
    assert float(told_apart(targets, targets, people)) < 0.01
    assert float(told_apart(targets.flip(0), targets, people)) > 10


def test_a_training_is_resumed_and_learns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(train_identity, "BATCH", 8)
    torch.manual_seed(0)
    clock = iter(range(10_000))
    shares: list[float] = []

    def course(minutes: float) -> nn.Module:
        return train_identity.trained(
            IdentityNet(4, 4, 8, 8, size=8),
            data=tmp_path,
            work=tmp_path,
            seed=1,
            on_progress=shares.append,
            minutes=minutes,
            rate=2e-2,
            source=f"{__name__}:samples",
            clock=lambda: float(next(clock)),
        )

    def likeness(net: nn.Module) -> float:
        with torch.no_grad():
            vectors = torch.nn.functional.normalize(net(samples(tmp_path).held()[0]))
        return float((vectors * samples(tmp_path).targets[:4]).sum(1).mean())

    early, late = likeness(course(0.3)), likeness(course(2))
    assert shares[-1] == 1
    assert late > early
    assert late > 0.15


def test_the_net_fits_its_budget_as_a_file() -> None:
    example = torch.rand(2, 1, SIDE, SIDE)
    made = quantization_aware(IdentityNet().eval(), [example])
    assert len(lean_tflite(made, example[:1])) <= BUDGET
