"""Distillation: losses as in the papers, hints that teach, boxes of a detector teacher."""

from __future__ import annotations

from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from torch import Tensor, nn  # noqa: E402
from torch.nn import functional  # noqa: E402

from edge_runtime.compress.distill import (  # noqa: E402
    Hints,
    detector_distillation,
    soft_loss,
    torch_teacher,
)
from edge_runtime.compress.glance_net import cells  # noqa: E402
from edge_runtime.compress.onnx_teacher import OnnxTeacher  # noqa: E402
from edge_runtime.errors import DataMissing, LayerUnsuited  # noqa: E402


def test_agreement_costs_nothing_but_the_labels() -> None:
    logits, labels = torch.randn(6, 4), torch.tensor([0, 1, 2, 3, 0, 1])
    assert float(soft_loss(logits, logits, labels, share=1.0)) == pytest.approx(0, abs=1e-6)
    alone = functional.cross_entropy(logits, labels)
    assert torch.allclose(soft_loss(logits, logits, labels, share=0.25), 0.75 * alone)


def test_the_soft_gradient_does_not_shrink_with_temperature() -> None:
    teacher, labels = torch.tensor([[3.0, 0.0, -1.0]]), torch.tensor([0])
    sizes = []
    for temperature in (1.0, 4.0, 16.0):
        student = torch.zeros(1, 3, requires_grad=True)
        soft_loss(student, teacher, labels, temperature=temperature, share=1.0).backward()
        assert student.grad is not None
        sizes.append(float(student.grad.norm()))
    assert max(sizes) < 2 * min(sizes)


def test_a_student_learns_its_teacher() -> None:
    torch.manual_seed(1)
    x = torch.randn(256, 8)
    teacher = torch_teacher(nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 3)))
    student = nn.Linear(8, 3)
    labels = teacher(x).argmax(1)
    optimizer = torch.optim.Adam(student.parameters(), 0.02)
    losses = []
    for _ in range(120):
        loss = soft_loss(student(x), teacher(x), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.4 * losses[0]


def test_hints_bring_features_together_across_widths_and_sizes() -> None:
    torch.manual_seed(2)
    x = torch.rand(8, 1, 12, 12)
    student = nn.Sequential(nn.Conv2d(1, 4, 3, stride=2), nn.ReLU())
    teacher = nn.Sequential(nn.Conv2d(1, 16, 3), nn.ReLU(), nn.MaxPool2d(2)).requires_grad_(False)
    hints = Hints(student, teacher, {"1": "2"}, x[:1])
    optimizer = torch.optim.Adam([*student.parameters(), *hints.regressors.parameters()], 0.02)
    losses = []
    for _ in range(80):
        student(x), teacher(x)
        loss = hints.loss()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    hints.close()
    assert losses[-1] < 0.3 * losses[0]
    assert not student[1]._forward_hooks


def test_an_unknown_layer_for_hints_is_named() -> None:
    net = nn.Sequential(nn.Linear(2, 2))
    with pytest.raises(LayerUnsuited, match="teacher has no layer 'trunk'"):
        Hints(net, net, {"0": "trunk"}, torch.rand(1, 2))


def detector_inputs() -> tuple[Tensor, Tensor]:
    """Logits that doubt everything, boxes of 40 px around every cell."""
    centres, _ = cells()
    boxes = torch.cat([centres, torch.full_like(centres, 40.0)], 1)
    return torch.full((1, 400), -3.0), boxes[None]


def test_a_surer_teacher_box_weighs_more() -> None:
    gradients = []
    for score in (0.2, 0.9):
        logits, boxes = detector_inputs()
        logits.requires_grad_(True)
        taught = torch.tensor([[[80.0, 60.0, 40.0, 44.0, score], [0.0, 0.0, 0.0, 0.0, 0.0]]])
        detector_distillation(logits, boxes, cells(), taught).backward()
        assert logits.grad is not None
        gradients.append(float(-logits.grad.min()))
    assert gradients[1] > 2 * gradients[0] > 0


def test_without_boxes_only_false_alarms_cost() -> None:
    logits, boxes = detector_inputs()
    nothing = torch.zeros(1, 3, 5)
    calm = detector_distillation(logits, boxes, cells(), nothing)
    alarmed = detector_distillation(logits + 6, boxes, cells(), nothing)
    assert 0 < float(calm) < float(alarmed)


def test_a_missing_onnx_teacher_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataMissing, match=r"no teacher .*big\.onnx"):
        OnnxTeacher(tmp_path / "big.onnx")


@pytest.mark.data
def test_an_onnx_teacher_answers(data_dir: Path) -> None:
    pytest.importorskip("onnxruntime")
    file = data_dir / "teachers" / "face_points.onnx"
    if not file.is_file():
        pytest.skip("no ONNX teacher in the data")
    answers = OnnxTeacher(file)(torch.rand(1, 3, 48, 48) * 255)
    assert answers.numel() == 10
    assert bool(torch.isfinite(answers).all())
