"""Each technique alone, pairs and all together on one net: the table of docs/compression.md.

    python benchmarks/compression_table.py recipes/lenet-300-100.toml --data DIR --out build/table

The recipe's stages before its first export are the common beginning (trained once: stages that are
alike are kept). Rows are written to OUT/NAME.json as they come, so it may be stopped and started
again; the table is printed as Markdown.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from edge_runtime.compress.compression import Compression, units_of, use_threads
from edge_runtime.compress.progress import Progress
from edge_runtime.compress.recipe import read_recipe

EXPORT = 'do = "export"'
CHANNELS = 'do = "prune_channels"\nshare = 0.5\nepochs = 4'
LOW_RANK = 'do = "low_rank"\nenergy = 0.8\nepochs = 3\nrate = 5e-4'
PRUNE = 'do = "prune"\nsparsity = 0.92\nepochs = 10'
PATTERN = 'do = "prune_pattern"\nepochs = 4'
SHARE = 'do = "share"\nlinear = 5\nconv = 6\nepochs = 2\nrate = 1e-4'
BINARY = 'do = "binarize"\nlayers = ["*"]\nepochs = 8'
TERNARY = 'do = "ternarize"\nlayers = ["*"]\nepochs = 8'
INT8 = 'do = "quantize"\nto = "int8"'
TRAINED_INT8 = 'do = "quantize"\nto = "int8"\nepochs = 2\nrate = 1e-4'
ROWS: dict[str, tuple[str, ...]] = {
    "nothing": (EXPORT,),
    "float16": ('do = "quantize"\nto = "float16"',),
    "dynamic int8": ('do = "quantize"\nto = "dynamic-int8"',),
    "int8": (INT8,),
    "int8, trained": (TRAINED_INT8,),
    "int4": ('do = "quantize"\nto = "int4"',),
    "ternary (storage)": (TERNARY, INT8),
    "1-bit (storage)": (BINARY, INT8),
    "pruned 92 %": (PRUNE, EXPORT),
    "2:4 pattern": (PATTERN, EXPORT),
    "half the channels": (CHANNELS, EXPORT),
    "low rank": (LOW_RANK, EXPORT),
    "shared, 5 bits": (SHARE, EXPORT),
    "pruned + shared": (PRUNE, SHARE, EXPORT),
    "pruned + int8": (PRUNE, TRAINED_INT8),
    "half the channels + int8": (CHANNELS, TRAINED_INT8),
    "low rank + int8": (LOW_RANK, TRAINED_INT8),
    "half the channels + pruned + int8": (CHANNELS, PRUNE, TRAINED_INT8),
    "half the channels + low rank + pruned + int8": (CHANNELS, LOW_RANK, PRUNE, TRAINED_INT8),
}


def main() -> None:
    """Read the command line, run what is missing, print the table."""
    parser = argparse.ArgumentParser(description="Measure every technique on one net.")
    parser.add_argument("recipe", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path("build/table"))
    parser.add_argument("--table", action="store_true", help="only print what is there")
    args = parser.parse_args()
    use_threads(1)
    file = args.out / f"{args.recipe.stem}.json"
    rows: dict[str, Any] = json.loads(file.read_text()) if file.is_file() else {}
    for name, stages in () if args.table else ROWS.items():
        if name not in rows:
            rows[name] = measured(args.recipe, stages, args.data, args.out)
            file.write_text(json.dumps(rows, indent=2) + "\n")
    print(markdown(rows))


def measured(base: Path, stages: tuple[str, ...], data: Path, out: Path) -> dict[str, Any]:
    """One row: the last stage of its report."""
    common = base.read_text().partition('[[stage]]\ndo = "export"')[0]
    text = common + "".join(f"[[stage]]\n{stage}\n" for stage in (*stages, 'do = "pack"'))
    file = out / "row.toml"
    out.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    recipe = read_recipe(file)
    bar = Progress(units_of(recipe), write=sys.stderr.write, redraw=sys.stderr.isatty())
    report = Compression(
        recipe=recipe, data=data, work=out / "work" / base.stem, out=out / "row", progress=bar
    ).run()
    last: dict[str, Any] = report["stages"][-1]
    return {key: last[key] for key in ("parameters", "macs", "file")}


def markdown(rows: dict[str, Any]) -> str:
    """The rows as a table; container and .tflite are told apart."""
    lines = [
        "| technique | .tflite bytes | .tflite.edge bytes | of the first .tflite | error, 95 % | "
        "MACs | ms, 1 thread |",
        "|---|---|---|---|---|---|---|",
    ]
    first = next(iter(rows.values()))["file"]["tflite_bytes"] if rows else 1
    for name, row in rows.items():
        file, accuracy = row["file"], row["file"]["accuracy"]
        error, low, high = (100 - 100 * accuracy[key] for key in ("value", "high95", "low95"))
        lines.append(
            f"| {name} | {file['tflite_bytes']:,} | {file['container_bytes']:,} | "
            f"1/{first / file['container_bytes']:.1f} | {error:.2f} % ({low:.2f} to {high:.2f}) | "
            f"{row['macs']:,} | {file['latency_ms']['1']['median']:.4f} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
