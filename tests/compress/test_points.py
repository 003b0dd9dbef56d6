"""`face-points`: labels move with the pixels, errors are told in eye distances, training learns."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from edge_runtime.compress import train_points  # noqa: E402
from edge_runtime.compress.face_sights import read_sights  # noqa: E402
from edge_runtime.compress.lean_writer import lean_tflite  # noqa: E402
from edge_runtime.compress.points_net import SIDE, PointsNet  # noqa: E402
from edge_runtime.compress.points_samples import (  # noqa: E402
    PointsSamples,
    eye_distances_off,
    plain_points,
    random_points,
)
from edge_runtime.compress.qat import quantization_aware  # noqa: E402
from tests.compress.faces import bright_spot, drawn_face  # noqa: E402

BUDGET = 24_000


def samples(data: Path) -> PointsSamples:
    del data
    faces = [drawn_face(i, "ann", (x, y)) for i, (x, y) in enumerate([(0, 0), (9, -6), (-8, 5)])]
    return PointsSamples(faces, faces[:2])


def test_labels_are_where_the_dots_are() -> None:
    crop, places = plain_points(drawn_face(0, "ann", (5, -3)))
    for place in places.reshape(5, 2) * SIDE:
        assert np.abs(bright_spot(crop, place, 3) - place).max() < 0.6


def test_labels_move_with_the_pixels_and_left_stays_left() -> None:
    rng = np.random.default_rng(4)
    offs = []
    for _ in range(40):
        crop, places = random_points(drawn_face(0, "ann"), rng)
        points = places.reshape(5, 2) * SIDE
        assert points[0, 0] < points[1, 0]
        assert points[3, 0] < points[4, 0]
        if crop.max() > 200 > 2 * np.median(crop):  # neither covered nor in the dark
            offs.append(np.abs(bright_spot(crop, points[2], 4) - points[2]).max())
    assert len(offs) > 5
    assert np.median(offs) < 1.5


def test_errors_are_told_in_eye_distances() -> None:
    true = torch.tensor([[0.2, 0.4, 0.8, 0.4, 0.5, 0.6, 0.3, 0.8, 0.7, 0.8]])
    off = true + torch.tensor([0.06, 0.0] * 5)
    assert eye_distances_off([off], true).value == pytest.approx(0.1, abs=1e-6)
    assert eye_distances_off([true], true).as_json()["total"] == 1


def test_a_short_training_brings_points_nearer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(train_points, "BATCH", 8)
    clock = iter(range(10_000))
    torch.manual_seed(0)
    fresh = PointsNet(4, 8, 8)
    inputs, labels = samples(tmp_path).held()
    with torch.no_grad():
        before = eye_distances_off([fresh.eval()(inputs)], labels).value
    net = train_points.trained(
        fresh,
        data=tmp_path,
        work=tmp_path,
        seed=1,
        on_progress=lambda share: None,
        minutes=2,
        rate=2e-2,
        source=f"{__name__}:samples",
        clock=lambda: float(next(clock)),
    )
    with torch.no_grad():
        assert eye_distances_off([net(inputs)], labels).value < 0.85 * before


def test_the_net_fits_its_budget_as_a_file() -> None:
    example = torch.rand(4, 1, SIDE, SIDE)
    made = quantization_aware(PointsNet().eval(), [example])
    assert len(lean_tflite(made, example[:1])) <= BUDGET


def test_sights_are_read_from_what_the_teacher_said_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import cv2

    monkeypatch.setattr("edge_runtime.compress.face_sights.CACHE", tmp_path / "said")
    (tmp_path / "said").mkdir()
    (tmp_path / "faces").mkdir()
    ann = drawn_face(0, "Ann")
    cv2.imwrite(str(tmp_path / "faces/0.jpg"), ann.photo.image)
    (tmp_path / "faces/lfw_val.csv").write_text("file,person,expression\n0.jpg,Ann,\n")
    sure = np.hstack([ann.photo.faces[0], 0.9, ann.points.reshape(-1)])
    aside = np.hstack([[5, 5, 9, 9], 0.95, np.zeros(10)])
    said = {"faces/0.jpg": np.stack([aside, sure])}
    np.savez(tmp_path / "said/lfw-val-points.npz", allow_pickle=False, **said)
    (found,) = read_sights(tmp_path, "val")
    assert (found.person, found.file) == ("Ann", "faces/0.jpg")
    np.testing.assert_allclose(found.points, ann.points)
    np.testing.assert_allclose(found.photo.faces, ann.photo.faces)
