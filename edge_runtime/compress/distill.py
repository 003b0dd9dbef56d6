"""Key ``distill``: a small net learns from a large one's answers.

- Logits (Hinton, Vinyals and Dean, arXiv 1503.02531): T^2 KL(softmax(teacher / T), softmax(student
  / T)), mixed with the labels' own cross entropy.
- Hints (Romero et al., "FitNets", arXiv 1412.6550, equation 3): features of a middle layer, brought
  to the teacher's width by a 1 x 1 regressor, are to equal the teacher's.
- Detectors (Chen et al., "Learning efficient object detection models with knowledge distillation",
  NeurIPS 2017): the teacher's boxes are targets, weighed by its own scores.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from edge_runtime.compress.detection_loss import assign, complete_iou, quality_focal
from edge_runtime.errors import LayerUnsuited

Teacher = Callable[[Tensor], Tensor]
"""From inputs to logits, without gradients."""


def soft_loss(
    student: Tensor,
    teacher: Tensor,
    labels: Tensor,
    *,
    temperature: float = 4.0,
    share: float = 0.9,
) -> Tensor:
    """Logits [n, classes] of both, labels [n]; ``share`` is the teacher's part of the loss."""
    soft = functional.kl_div(
        functional.log_softmax(student / temperature, 1),
        functional.log_softmax(teacher / temperature, 1),
        reduction="batchmean",
        log_target=True,
    )
    hard = functional.cross_entropy(student, labels)
    return share * temperature**2 * soft + (1 - share) * hard


class Hints(nn.Module):
    """Listens to named layers of a student and its teacher, and compares what they say.

    Its regressors are trained with the student and thrown away. Call ``loss`` after both nets saw
    the same batch; ``close`` takes the hooks off again.
    """

    def __init__(
        self, student: nn.Module, teacher: nn.Module, pairs: Mapping[str, str], example: Tensor
    ) -> None:
        super().__init__()
        self._heard: dict[tuple[str, str], Tensor] = {}
        self._pairs = dict(pairs)
        self._hooks: list[Any] = []
        for own, other in pairs.items():
            self._listen("student", student, own)
            self._listen("teacher", teacher, other)
        with torch.no_grad():
            student.eval()(example), teacher.eval()(example)
        self.regressors = nn.ModuleList(
            _regressor(self._heard["student", own], self._heard["teacher", other])
            for own, other in pairs.items()
        )

    def loss(self) -> Tensor:
        """Mean squared difference, averaged over the pairs."""
        each = [
            functional.mse_loss(_fit(regress(mine), theirs), theirs)
            for regress, mine, theirs in zip(self.regressors, *self._both(), strict=True)
        ]
        return torch.stack(each).mean()

    def close(self) -> None:
        """Stop listening."""
        for hook in self._hooks:
            hook.remove()

    def _both(self) -> tuple[list[Tensor], list[Tensor]]:
        mine = [self._heard["student", own] for own in self._pairs]
        return mine, [self._heard["teacher", other].detach() for other in self._pairs.values()]

    def _listen(self, who: str, net: nn.Module, name: str) -> None:
        modules = dict(net.named_modules())
        if name not in modules:
            raise LayerUnsuited(f"the {who} has no layer {name!r} to take hints from")

        def hear(_: Any, __: Any, result: Tensor) -> None:
            self._heard[who, name] = result

        self._hooks.append(modules[name].register_forward_hook(hear))


def detector_distillation(
    logits: Tensor, boxes: Tensor, cells: tuple[Tensor, Tensor], teacher: Tensor
) -> Tensor:
    """Scalar loss of a detector with cells against a teacher's boxes.

    ``logits`` [n, cells], ``boxes`` [n, cells, 4] decoded to pixels, ``cells`` as in
    detection_loss, ``teacher`` [n, k, 5]: centre x, centre y, width, height in pixels and score 0
    to 1; rows of zero width are padding.
    """
    faces, scores = teacher[..., :4], teacher[..., 4]
    nothing = teacher.new_zeros(len(teacher), 1, 4)
    with torch.no_grad():
        found = assign(logits.sigmoid(), boxes, cells, faces, nothing)
    soft = found.target * scores.gather(1, found.face) * (found.target > 0)
    weight = soft.sum().clamp(min=1.0)
    loss = quality_focal(logits, soft).sum() / weight
    chosen = soft > 0
    if not bool(chosen.any()):
        return loss
    wanted = faces.gather(1, found.face.unsqueeze(-1).expand(-1, -1, 4))[chosen]
    return loss + 2 * ((1 - complete_iou(boxes[chosen], wanted)) * soft[chosen]).sum() / weight


def torch_teacher(net: nn.Module) -> Teacher:
    """A net that only answers."""
    net.eval().requires_grad_(False)
    return net


def _regressor(mine: Tensor, theirs: Tensor) -> nn.Module:
    if mine.dim() == 4:
        return nn.Conv2d(mine.shape[1], theirs.shape[1], 1)
    return nn.Linear(mine.shape[1], theirs.shape[1])


def _fit(mine: Tensor, theirs: Tensor) -> Tensor:
    """Maps of another size are averaged or repeated to the teacher's."""
    if mine.dim() < 4 or mine.shape[2:] == theirs.shape[2:]:
        return mine
    return functional.adaptive_avg_pool2d(mine, theirs.shape[2:])
