from __future__ import annotations

import numpy as np
import pytest

from edge_runtime.engine.fake import FakeEngine
from edge_runtime.engine.tensor import Tensor
from edge_runtime.errors import ModelRejected

PICTURE = Tensor("picture", (1, 2, 2, 1), np.dtype(np.int8), 1.0, -128)
SCORES = Tensor("scores", (1, 2), np.dtype(np.float32))


def test_constant_outputs() -> None:
    engine = FakeEngine.constant([PICTURE], [SCORES], [[[0.25, 0.75]]])
    engine.invoke()
    assert engine.output().tolist() == [[0.25, 0.75]]


def test_answer_function_sees_what_was_written() -> None:
    engine = FakeEngine([PICTURE], [SCORES], answer=lambda read: [[[read[0].sum(), 0]]])
    engine.input()[...] = 5
    engine.invoke()
    assert engine.output()[0, 0] == 20


def test_drawn_answers_depend_on_the_input_alone() -> None:
    engine, other = FakeEngine([PICTURE], [SCORES]), FakeEngine([PICTURE], [SCORES])
    engine.invoke()
    other.invoke()
    assert np.array_equal(engine.output(), other.output())
    other.input()[...] = 1
    other.invoke()
    assert not np.array_equal(engine.output(), other.output())


def test_open_sizes_are_refused() -> None:
    with pytest.raises(ModelRejected, match=r"'scores'.* is open"):
        FakeEngine([PICTURE], [Tensor("scores", (-1, 2), np.dtype(np.float32))])


def test_answer_of_the_wrong_shape_is_refused() -> None:
    engine = FakeEngine.constant([PICTURE], [SCORES], [[0.5]])
    with pytest.raises(ModelRejected, match=r"'scores' is \(1,\), expected \(1, 2\)"):
        engine.invoke()
