"""Each technique alone, pairs and all together on one net: the tables of docs/compression.md.

    python benchmarks/compression_table.py recipes/lenet-5.toml --data DIR --out build/table

The recipe's stages before the one that writes a file are the common beginning (done once: stages
that are alike are kept below OUT). Rows are written to OUT/NAME.json as they come, so it may
be stopped and started again; the table is printed as Markdown. SETTINGS says how far each technique
goes on which net.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from dataclasses import dataclass, replace
from itertools import takewhile
from pathlib import Path
from typing import Any

import torch

from edge_runtime.compress.compression import Compression, units_of, use_threads
from edge_runtime.compress.progress import Progress
from edge_runtime.compress.recipe import Recipe, read_recipe
from edge_runtime.compress.stage_options import WRITERS, epochs_of

EXPORT = 'do = "export"'
FLOAT16 = 'do = "quantize"\nto = "float16"'
DYNAMIC_INT8 = 'do = "quantize"\nto = "dynamic-int8"'
INT8 = 'do = "quantize"\nto = "int8"'
INT4 = 'do = "quantize"\nto = "int4"'
CUT_CHANNELS = 'do = "prune_channels"\nshare = 0.5'

WRITER = re.compile(r'\[\[stage\]\]\ndo = "(?:export|quantize)"')

Stages = tuple[str, ...]
"""What stands under each [[stage]], as TOML."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How far each technique goes on one net, and for how many epochs it may heal."""

    sparsity: float
    energy: float
    """Of the singular values."""
    low_bit_layers: str
    """TOML: which layers become ternary or binary."""
    batch: int
    heal: int
    """Epochs after channels, a pattern or ranks went, and with a teacher."""
    prune: int
    low_bits: int
    tune: int
    """Epochs with int8 or shared values in place."""


INNER = ""
"""All layers but the first and the last."""
EVERY = 'layers = ["*"]\n'
SETTINGS = {
    "lenet-300-100": Settings(
        sparsity=0.92,
        energy=0.8,
        low_bit_layers=EVERY,
        batch=128,
        heal=4,
        prune=10,
        low_bits=8,
        tune=2,
    ),
    "lenet-5": Settings(
        sparsity=0.92,
        energy=0.8,
        low_bit_layers=INNER,
        batch=128,
        heal=2,
        prune=3,
        low_bits=2,
        tune=1,
    ),
    "smile": Settings(
        sparsity=0.7,
        energy=0.9,
        low_bit_layers=INNER,
        batch=64,
        heal=3,
        prune=5,
        low_bits=4,
        tune=1,
    ),
}


SETTINGS["smile-shipped"] = replace(SETTINGS["smile"], heal=2, prune=2, low_bits=2)
"""Fewer epochs: a crop is drawn anew every time, which takes longer than learning from it."""


def rows_of(net: Settings, teacher: str) -> dict[str, Stages]:
    """By name what is done to the trained net. ``teacher``: keys that name it to ``distill``."""

    def trained(stage: str, epochs: int, rate: float = 1e-3) -> str:
        return f"{stage}\nbatch = {net.batch}\nepochs = {epochs}\nrate = {rate}"

    channels = trained(CUT_CHANNELS, net.heal)
    taught = trained(f'do = "distill"\n{teacher}', net.heal)
    ranks = f'do = "low_rank"\nenergy = {net.energy}'
    low_rank = trained(ranks, net.heal, 5e-4)
    prune = trained(f'do = "prune"\nsparsity = {net.sparsity}', net.prune)
    share = trained('do = "share"\nlinear = 5\nconv = 6', net.tune, 1e-4)
    int8 = trained(INT8, net.tune, 1e-4)
    return {
        "nothing": (EXPORT,),
        "float16": (FLOAT16,),
        "dynamic int8": (DYNAMIC_INT8,),
        "int8": (INT8,),
        "int8, trained": (int8,),
        "int4": (INT4,),
        "ternary (storage)": (
            trained(f'do = "ternarize"\n{net.low_bit_layers}', net.low_bits),
            INT8,
        ),
        "1-bit (storage)": (
            trained(f'do = "binarize"\n{net.low_bit_layers}', net.low_bits),
            INT8,
        ),
        f"pruned {net.sparsity:.0%}": (prune, EXPORT),
        "2:4 pattern": (trained('do = "prune_pattern"', net.heal), EXPORT),
        "half the channels": (channels, EXPORT),
        "half the channels, taught": (CUT_CHANNELS, taught, EXPORT),
        "low rank": (low_rank, EXPORT),
        "shared, 5 bits (conv 6)": (share, EXPORT),
        "pruned + shared": (prune, share, EXPORT),
        "pruned + int8": (prune, int8),
        "half the channels + int8": (channels, int8),
        "half the channels, taught + int8": (CUT_CHANNELS, taught, int8),
        "low rank + int8": (low_rank, int8),
        "half the channels + pruned + int8": (channels, prune, int8),
        "all: half the channels + low rank, taught + pruned + int8": (
            CUT_CHANNELS,
            ranks,
            taught,
            prune,
            int8,
        ),
    }


def main() -> None:
    """Read the command line, run what is missing, print the table."""
    parser = argparse.ArgumentParser(description="Measure every technique on one net.")
    parser.add_argument("recipe", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path("build/table"))
    parser.add_argument("--table", action="store_true", help="only print what is there")
    parser.add_argument("--rows", nargs="+", metavar="NAME", help="only these, in this order")
    args = parser.parse_args()
    name = args.recipe.stem
    if name not in SETTINGS:
        parser.error(f"no settings for {name}, there are some for {', '.join(SETTINGS)}")
    use_threads(1)
    file = args.out / f"{name}.json"
    rows: dict[str, Any] = json.loads(file.read_text()) if file.is_file() else {}
    bench = Bench(args.recipe, args.data, args.out)
    plan = rows_of(SETTINGS[name], bench.teacher())
    if unknown := [row for row in args.rows or () if row not in plan]:
        parser.error(f"no rows {', '.join(unknown)}, there are {'; '.join(plan)}")
    for row in [] if args.table else args.rows or plan:
        if row not in rows:
            rows[row] = bench.measured(plan[row])
            file.write_text(json.dumps(rows, indent=2) + "\n")
    print(markdown({row: rows[row] for row in plan if row in rows}))


class Bench:
    """One net's trained beginning, and rows measured from there."""

    def __init__(self, base: Path, data: Path, out: Path) -> None:
        self.base, self.data, self.out = base, data.resolve(), out.resolve()
        self.work = self.out / "work" / base.stem
        self.work.mkdir(parents=True, exist_ok=True)
        self.weights = self.work / "teacher.pt"

    def teacher(self) -> str:
        """The trained net itself, as keys of a stage ``distill``."""
        source = read_recipe(self.base).model.source
        return f"teacher = {json.dumps(source)}\nweights = {json.dumps(str(self.weights))}"

    def row(self, stages: Stages) -> Path:
        """The recipe of one row; the notes for the card stay with the net's own recipe."""
        common = WRITER.split(self.base.read_text())[0]
        common = re.sub(r"^notes = .*\n", "", common, flags=re.MULTILINE)
        file = self.out / "row.toml"
        file.write_text(
            common + "".join(f"[[stage]]\n{stage}\n" for stage in (*stages, 'do = "pack"'))
        )
        return file

    def measured(self, stages: Stages) -> dict[str, Any]:
        """The last stage of a row's report, and how long the row was trained."""
        recipe = read_recipe(self.row(stages))
        report = self._run(recipe)
        self._keep_teacher()
        last: dict[str, Any] = report["stages"][-1]
        epochs = sum(epochs_of(each) for each in recipe.stages[-1 - len(stages) :])
        return {"epochs": epochs} | {key: last[key] for key in ("parameters", "macs", "file")}

    def _run(self, recipe: Recipe) -> dict[str, Any]:
        bar = Progress(units_of(recipe), write=_tell, redraw=sys.stderr.isatty())
        row = self.out / "row"
        return Compression(
            recipe=recipe, data=self.data, work=self.work, out=row, progress=bar
        ).run()

    def _keep_teacher(self) -> None:
        """The weights at the end of the common beginning, which the first row reached."""
        recipe = read_recipe(self.base)
        common = len(list(takewhile(lambda stage: not isinstance(stage, WRITERS), recipe.stages)))
        trained = self.work / recipe.folder_names()[common - 1] / "net.pt"
        torch.save(torch.load(trained, weights_only=False).state_dict(), self.weights)


def _tell(text: str) -> None:
    sys.stderr.write(text)


def markdown(rows: dict[str, Any]) -> str:
    """The rows as a table; container and .tflite are told apart."""
    lines = [
        "| technique | epochs | .tflite bytes | .tflite.edge bytes | of the first .tflite | "
        "error, 95 % | MACs | ms, 1 thread |",
        "|---|---|---|---|---|---|---|---|",
    ]
    first = next(iter(rows.values()))["file"]["tflite_bytes"] if rows else 1
    for name, row in rows.items():
        file, accuracy = row["file"], row["file"]["accuracy"]
        error, low, high = (100 - 100 * accuracy[key] for key in ("value", "high95", "low95"))
        lines.append(
            f"| {name} | {row['epochs']} | {file['tflite_bytes']:,} | "
            f"{file['container_bytes']:,} | 1/{first / file['container_bytes']:.1f} | "
            f"{error:.2f} % ({low:.2f} to {high:.2f}) | {row['macs']:,} | "
            f"{file['latency_ms']['1']['median']:.4f} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
