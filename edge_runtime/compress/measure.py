"""How good answers are: what a report calls accuracy, and what other nets are judged by instead."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from torch import Tensor

from edge_runtime.compress.confidence import MeanRecall, Share
from edge_runtime.types import JsonObject

Answers = Sequence[Tensor]
"""A net's outputs to all inputs, [n, ...] each; maps have their channels first."""


class Figure(Protocol):
    """A measured share with its uncertainty."""

    def as_json(self) -> JsonObject:
        """``value``, ``low95``, ``high95`` (shares, 0 to 1) and ``total``, what was examined."""


Measure = Callable[[Answers, Tensor], Figure]
"""From answers and labels [n, ...] to a figure; ``[report] measure`` names one."""


def accuracy(answers: Answers, labels: Tensor) -> Share:
    """How many inputs get their label."""
    right = answers[0].flatten(1).argmax(1) == labels
    return Share(int(right.sum()), len(labels))


def balanced_accuracy(answers: Answers, labels: Tensor) -> MeanRecall:
    """How many inputs of a class get their label, averaged over the classes that there are."""
    right = answers[0].flatten(1).argmax(1) == labels
    each = [right[labels == label] for label in labels.unique()]
    return MeanRecall(tuple(Share(int(part.sum()), len(part)) for part in each))


def name_of(measure: Measure) -> str:
    """What a report calls a measure: its own name in words."""
    return str(getattr(measure, "__name__", type(measure).__name__)).replace("_", " ")
