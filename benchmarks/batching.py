"""Are the looks of one frame cheaper as one batch than one after the other?

    python -m benchmarks.batching [--model models/face-glance/model.tflite] [--looks 4]

One interpreter has its input resized to so many pictures, the other looks once for each. They take
turns, so that a busy machine slows both alike; what counts is the ratio of their medians. With one
thread processor time is counted, which neighbours disturb less; with more the clock on the wall.
Whether both say the same, to the byte, is printed too.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from ai_edge_litert.interpreter import Interpreter

from edge_runtime.bench.machine import this_machine

ROUNDS = 600
WARM_UP = 20

Bytes = npt.NDArray[np.int8]


class Net:
    """A model whose input was made to take ``batch`` pictures at once."""

    def __init__(self, model: Path, *, batch: int, threads: int) -> None:
        self._interpreter: Any = Interpreter(model_path=str(model), num_threads=threads)
        self._input = self._interpreter.get_input_details()[0]["index"]
        if batch > 1:
            shape = self._interpreter.get_input_details()[0]["shape"]
            self._interpreter.resize_tensor_input(self._input, [batch, *shape[1:]])
        self._interpreter.allocate_tensors()
        self._outputs = [each["index"] for each in self._interpreter.get_output_details()]

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self._interpreter.get_input_details()[0]["shape"])

    def look(self, pictures: Bytes) -> None:
        self._interpreter.tensor(self._input)()[...] = pictures
        self._interpreter.invoke()

    def answers(self) -> list[Bytes]:
        return [self._interpreter.get_tensor(index) for index in self._outputs]


def compare(model: Path, *, looks: int, threads: int) -> str:
    """One line: what a frame's looks take in both ways."""
    single = Net(model, batch=1, threads=threads)
    batched = Net(model, batch=looks, threads=threads)
    noise = np.random.default_rng(7)
    pictures: Bytes = noise.integers(-128, 128, batched.shape, np.int8)

    def one_by_one() -> None:
        for picture in pictures:
            single.look(picture[None])

    clock = time.process_time if threads == 1 else time.perf_counter
    single_ms, batched_ms = _in_turns(clock, one_by_one, lambda: batched.look(pictures))
    same = "the same bytes" if _agree(single, batched, pictures) else "OTHER BYTES"
    return (
        f"{threads} thread(s): {looks} looks {single_ms:.3f} ms, one batch {batched_ms:.3f} ms, "
        f"batch / looks {batched_ms / single_ms:.3f}, {same}"
    )


def _agree(single: Net, batched: Net, pictures: Bytes) -> bool:
    batched.look(pictures)
    together = batched.answers()
    for number, picture in enumerate(pictures):
        single.look(picture[None])
        alone = single.answers()
        if not all(
            np.array_equal(all_of[number], one[0])
            for all_of, one in zip(together, alone, strict=True)
        ):
            return False
    return True


def _in_turns(clock: Callable[[], float], *ways: Callable[[], None]) -> list[float]:
    """The median milliseconds of each way."""
    took: list[list[float]] = [[] for _ in ways]
    for number in range(WARM_UP + ROUNDS):
        for way, times in zip(ways, took, strict=True):
            began = clock()
            way()
            if number >= WARM_UP:
                times.append((clock() - began) * 1000)
    return [statistics.median(times) for times in took]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--model", type=Path, default=Path("models/face-glance/model.tflite"))
    parser.add_argument("--looks", type=int, default=4)
    chosen = parser.parse_args()
    print(f"machine: {this_machine()}")
    for threads in (1, 2):
        print(compare(chosen.model, looks=chosen.looks, threads=threads))


if __name__ == "__main__":
    main()
