"""An engine without an interpreter, for tests and demos: keeps every promise of the contract.

Give it tensors and an ``answer`` function, or constant outputs; with neither it answers with
numbers drawn from a generator that the input bytes seed, so that the same input always gives the
same output and another input another.

    engine = FakeEngine.constant(inputs, outputs, [np.array([[0.2, 0.8]], np.float32)])
"""

from __future__ import annotations

import sys
import time
import zlib
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from edge_runtime.engine.engine import Engine
from edge_runtime.engine.tensor import Array, Tensor
from edge_runtime.errors import ModelRejected
from edge_runtime.types import Clock

Answer = Callable[[Sequence[Array]], Sequence[npt.ArrayLike]]
"""Stored inputs to stored outputs, as the tensors' dtypes hold them."""


class FakeEngine(Engine):
    """Holds arrays of the tensors' shapes and fills the outputs with ``answer``."""

    def __init__(
        self,
        inputs: Sequence[Tensor],
        outputs: Sequence[Tensor],
        *,
        answer: Answer | None = None,
        clock: Clock = time.perf_counter,
    ) -> None:
        self.backend = "fake"
        self.inputs, self.outputs = tuple(inputs), tuple(outputs)
        self._answer = answer or self._drawn
        self._clock = clock
        self._inputs = [_memory(tensor) for tensor in self.inputs]
        self._outputs = [_memory(tensor) for tensor in self.outputs]
        self._unheld = self._references()
        self._closed = False

    @classmethod
    def constant(
        cls,
        inputs: Sequence[Tensor],
        outputs: Sequence[Tensor],
        values: Sequence[npt.ArrayLike],
        *,
        clock: Clock = time.perf_counter,
    ) -> FakeEngine:
        """An engine whose outputs are always ``values``, as stored."""
        return cls(inputs, outputs, answer=lambda _: values, clock=clock)

    def input(self, index: int = 0) -> Array:
        self._require_open()
        return self._inputs[index].view()

    def invoke(self) -> None:
        self._require_open()
        self._refuse_held_views()
        began = self._clock()
        answers = self._answer(self._inputs)
        for tensor, memory, value in zip(self.outputs, self._outputs, answers, strict=True):
            given = np.asarray(value, tensor.dtype)
            if given.shape != tensor.shape:
                raise ModelRejected(
                    f"the fake's answer for {tensor.name!r} is {given.shape}, "
                    f"expected {tensor.shape}"
                )
            memory[...] = given
        self.invoke_s = self._clock() - began

    def output(self, index: int = 0) -> Array:
        self._require_open()
        return self._outputs[index].view()

    def close(self) -> None:
        self._closed = True

    def _require_open(self) -> None:
        if self._closed:
            raise RuntimeError("the fake engine is closed")

    def _references(self) -> list[int]:
        """How often each array is referred to: a view refers to the array it shows."""
        return [sys.getrefcount(array) for array in (*self._inputs, *self._outputs)]

    def _refuse_held_views(self) -> None:
        # As strict as the real one, so that what works with the fake works with it.
        if self._references() != self._unheld:
            raise RuntimeError(
                "a view of the memory of the fake engine is still held: drop what input() and "
                "output() returned before calling invoke()"
            )

    def _drawn(self, inputs: Sequence[Array]) -> list[Array]:
        seed = zlib.crc32(b"".join(array.tobytes() for array in inputs))
        random = np.random.default_rng(seed)
        return [_draw(random, tensor) for tensor in self.outputs]


def _memory(tensor: Tensor) -> Array:
    if min(tensor.shape, default=0) < 0:
        raise ModelRejected(f"the fake cannot make {tensor.name!r}: its size {tensor} is open")
    return np.zeros(tensor.shape, tensor.dtype)


def _draw(random: np.random.Generator, tensor: Tensor) -> Array:
    if tensor.dtype.kind in "iu":
        limits = np.iinfo(tensor.dtype)
        return random.integers(limits.min, limits.max, tensor.shape, tensor.dtype, endpoint=True)
    return random.random(tensor.shape, np.float32).astype(tensor.dtype)
