"""LeNet-300-100 and LeNet-5 on MNIST: prune, share values, Huffman code; bytes and errors.

    python -m benchmarks.deep_compression --data DIR --work DIR [--net lenet-5] [--tune]

``--data`` holds digits/mnist.npz. Stages are kept in ``--work`` and not done twice; the result is
``--work``/deep_compression.json and a table. ``--tune`` holds the last 10,000 training pictures out
and examines on them instead of the test set: settings were chosen that way.
"""

from __future__ import annotations

import argparse
import json
import lzma
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from edge_runtime.compress.chain_writer import chain_tflite
from edge_runtime.compress.lenet import NETS
from edge_runtime.compress.lesson import Lesson, Loss, answers_of, labelled, taught, told, wrong
from edge_runtime.compress.mnist import Digits, read_digits
from edge_runtime.compress.model_buffers import stored_buffers
from edge_runtime.compress.pack import pack
from edge_runtime.compress.prune import GradualPruner, KeptZeros
from edge_runtime.compress.share import settle, share
from edge_runtime.compress.sparse import relative
from edge_runtime.store.codings import MOST_GAP_BITS
from edge_runtime.store.package import SUFFIX, expand

SEED = 1
"""Set anew for every stage, so that a stage done later is the same stage."""
PRUNING_SHARE = 0.6
"""Of the pruning stage's steps; the rest heals."""
RETIGHTENED = 50
"""Steps from one cut to the next."""
Z95 = 1.96

PAPER = {
    "lenet-300-100": {"from_kb": 1070, "to_kb": 27, "ratio": 40, "error": [1.64, 1.58]},
    "lenet-5": {"from_kb": 1720, "to_kb": 44, "ratio": 39, "error": [0.80, 0.74]},
}


@dataclass(frozen=True)
class Recipe:
    """What is done to one net."""

    float_epochs: int
    pruning_epochs: int
    sharing_epochs: int
    kept: float
    """Share of all weights that stay."""
    conv_bits: int
    linear_bits: int
    bias_bits: int
    teacher: str
    """The float net whose answers are part of the loss while pruning and sharing."""
    taught: float
    """That part."""
    shift: int
    """Pixels the training pictures are moved by, in all stages alike."""


RECIPES = {
    "lenet-5": Recipe(8, 12, 3, 0.08, 6, 5, 5, "lenet-5", 0.5, 1),
    "lenet-300-100": Recipe(20, 30, 8, 0.04, 6, 5, 5, "lenet-5", 0.7, 0),
}


class Bench:
    """One net on its way through the stages."""

    def __init__(self, name: str, digits: Digits, work: Path, recipe: Recipe) -> None:
        self.name, self.digits, self.work, self.recipe = name, digits, work, recipe
        self.report: dict[str, Any] = {"recipe": asdict(recipe), "seed": SEED, "stages": {}}

    def run(self) -> dict[str, Any]:
        plain = self.plain()
        loss = self._taught()
        pruned = self._stage("pruned", plain, lambda net: self._prune(net, loss))
        shared = self._stage("shared", pruned, lambda net: self._share(net, loss))
        for stage, net in (("float", plain), ("pruned", pruned), ("shared", shared)):
            self.report["stages"][stage] = self._measured(stage, net)
        self.report["layers"] = [_layer(*each) for each in shared.named_children()]
        return self.report

    def plain(self) -> nn.Module:
        """The float net."""
        torch.manual_seed(SEED)
        return self._stage("float", NETS[self.name](), self._train)

    def _taught(self) -> Loss:
        name = self.recipe.teacher
        teacher = Bench(name, self.digits, self.work, RECIPES[name]).plain()
        if self.recipe.shift:
            return taught(teacher, self.recipe.taught)
        return told(answers_of(teacher, self.digits.pictures), self.recipe.taught)

    def _stage(
        self, stage: str, net: nn.Module, work: Callable[[nn.Module], nn.Module]
    ) -> nn.Module:
        """The net after a stage: from the file, or done now and kept."""
        file = self.work / f"{self.name}.{stage}.pt"
        torch.manual_seed(SEED)
        if not file.exists():
            part = file.with_suffix(".part")
            torch.save(work(_copy(self.name, net)).state_dict(), part)
            part.rename(file)
        made = NETS[self.name]()
        made.load_state_dict(torch.load(file))
        return made

    def _train(self, net: nn.Module) -> nn.Module:
        lesson = self._lesson(net, self.recipe.float_epochs, 1e-3)
        return self._watch("float", lesson, lesson.run(labelled))

    def _lesson(self, net: nn.Module, epochs: int, rate: float) -> Lesson:
        pictures, labels = self.digits.pictures, self.digits.labels
        return Lesson(net, pictures, labels, epochs=epochs, rate=rate, shift=self.recipe.shift)

    def _prune(self, net: nn.Module, loss: Loss) -> nn.Module:
        pruner = GradualPruner(net, 1 - self.recipe.kept, scope="lamp", ramp=PRUNING_SHARE)
        zeros = KeptZeros(net)

        def tighten(lesson: Lesson) -> None:
            nonlocal zeros
            zeros.step(lesson.progress)
            if lesson.step % RETIGHTENED == 0:
                pruner.step(lesson.progress)
                zeros = KeptZeros(net)

        lesson = self._lesson(net, self.recipe.pruning_epochs, 1e-3)
        self._watch("pruning", lesson, lesson.run(loss, tighten))
        zeros.step(1.0)
        return net

    def _share(self, net: nn.Module, loss: Loss) -> nn.Module:
        bits = self.recipe
        net = share(net, conv=bits.conv_bits, linear=bits.linear_bits, bias=bits.bias_bits)
        lesson = self._lesson(net, bits.sharing_epochs, 3e-4)
        return settle(self._watch("sharing", lesson, lesson.run(loss)))

    def _watch(self, what: str, lesson: Lesson, epochs: Iterator[float]) -> nn.Module:
        started = time.monotonic()
        for number, loss in enumerate(epochs, start=1):
            left = (time.monotonic() - started) / number * (lesson.epochs - number)
            print(
                f"{self.name} {what} {number}/{lesson.epochs} loss {loss:.4f} "
                f"wrong {self._wrong(lesson.net)}, {left:.0f} s left",
                flush=True,
            )
        return lesson.net

    def _wrong(self, net: nn.Module) -> int:
        return wrong(net, self.digits.exam_pictures, self.digits.exam_labels)

    def _measured(self, stage: str, net: nn.Module) -> dict[str, Any]:
        model = chain_tflite(net, torch.zeros(1, 1, 28, 28))
        package = pack(model)
        if expand(package) != model:
            raise AssertionError(f"the {stage} package does not expand to its model")
        (self.work / f"{self.name}.{stage}.tflite").write_bytes(model)
        (self.work / f"{self.name}.{stage}{SUFFIX}").write_bytes(package)
        return {
            "tflite_bytes": len(model),
            "package_bytes": len(package),
            "paper_style_bytes": _paper_style(model),
            "lzma_bytes": _lzma_bytes(model),
            "weights": sum(int((p != 0).sum()) for p in net.parameters()),
            **_error(self._wrong(net), len(self.digits.exam_labels)),
        }


def _copy(name: str, net: nn.Module) -> nn.Module:
    made = NETS[name]()
    made.load_state_dict(net.state_dict())
    return made


def _error(mistakes: int, count: int) -> dict[str, Any]:
    """Share of wrong answers in percent, with Wilson's 95 % interval."""
    p, z2 = mistakes / count, Z95 * Z95 / count
    middle = (p + z2 / 2) / (1 + z2)
    half = Z95 / (1 + z2) * math.sqrt(p * (1 - p) / count + z2 / (4 * count))
    interval = [round(100 * (middle + sign * half), 2) for sign in (-1, 1)]
    return {"wrong": mistakes, "of": count, "error_percent": 100 * p, "interval_percent": interval}


def _lzma_bytes(model: bytes) -> int:
    return len(lzma.compress(model, preset=9))


def _paper_style(model: bytes) -> int:
    """Bytes of the constants alone with columns of fixed width: the paper's steps before Huffman.

    More than 256 different values: each survivor takes its 4 bytes and its distance. Else: a
    number of the codebook and the distance, and the codebook.
    """
    parts = (np.frombuffer(model, "<u4", b.size // 4, b.start) for b in stored_buffers(model))
    return sum(math.ceil(_fixed_bits(part) / 8) for part in parts)


def _fixed_bits(numbers: np.ndarray) -> int:
    book = np.unique(numbers[numbers != 0])
    wide = len(book) > 255
    width = 32 if wide else max(math.ceil(math.log2(len(book) + 1)), 1)
    alive = (numbers != 0).astype(np.uint8)
    ways = [(len(relative(alive, bits).values), bits) for bits in range(1, MOST_GAP_BITS + 1)]
    ways.append((len(numbers), 0))
    return min(count * (bits + width) for count, bits in ways) + (0 if wide else 32 * len(book))


def _layer(name: str, layer: nn.Module) -> dict[str, Any]:
    weight: Tensor | None = getattr(layer, "weight", None)
    if weight is None:
        return {"name": name, "kind": type(layer).__name__}
    alive = weight[weight != 0]
    return {
        "name": name,
        "kind": type(layer).__name__,
        "weights": weight.numel(),
        "kept": alive.numel() / weight.numel(),
        "values": alive.unique().numel(),
    }


def table(report: dict[str, Any]) -> str:
    """The figures as Markdown: sizes in bytes, errors in percent."""
    lines = [
        "| net | stage | weights | .tflite bytes | constants, paper's way | package bytes | "
        "x smaller | error % (95 %) |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, result in report.items():
        before = result["stages"]["float"]["tflite_bytes"]
        for stage, found in result["stages"].items():
            low, high = found["interval_percent"]
            lines.append(
                f"| {name} | {stage} | {found['weights']:,} | {found['tflite_bytes']:,} | "
                f"{found['paper_style_bytes']:,} | {found['package_bytes']:,} | "
                f"{before / found['package_bytes']:.1f} | "
                f"{found['error_percent']:.2f} ({low}-{high}) |"
            )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--net", choices=sorted(NETS), action="append")
    parser.add_argument("--tune", action="store_true")
    parser.add_argument("--threads", type=int, default=1)
    chosen = parser.parse_args()
    torch.set_num_threads(chosen.threads)
    chosen.work.mkdir(parents=True, exist_ok=True)
    digits = read_digits(chosen.data / "digits")
    digits = digits.held_out() if chosen.tune else digits
    file = chosen.work / "deep_compression.json"
    report = json.loads(file.read_text()) if file.exists() else {}
    for name in chosen.net or NETS:
        report[name] = Bench(name, digits, chosen.work, RECIPES[name]).run() | {
            "paper": PAPER[name],
            "examined_on": "held-out training pictures" if chosen.tune else "test set",
        }
        file.write_text(json.dumps(report, indent=1) + "\n")
    print(table(report))


if __name__ == "__main__":
    main()
