"""``python -m tests.store.fuzz --count 1000 --seed 1``: spoil many files, try each, tell figures.

Ends with status 1 when one was judged wrongly; those are kept in the folder that is named.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from pathlib import Path
from statistics import median

from tests.store.fuzz.judging import Judged, judge, wrong
from tests.store.fuzz.spoiled import WAYS, originals, spoil


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.store.fuzz", description=__doc__)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="fuzz-"))
    seen: list[tuple[str, Judged]] = []
    mistakes = 0
    for number, spoiled in enumerate(spoil(originals(folder), options.count, options.seed)):
        judged = judge(spoiled, folder)
        seen.append((spoiled.way, judged))
        if mistake := wrong(spoiled, judged, folder):
            mistakes += 1
            (folder / f"wrong-{number}.tflite").write_bytes(spoiled.content)
            tell(f"{number} ({spoiled.way}): {mistake}: {judged.verdict.reason}")
        if len(seen) % 100 == 0:
            tell(f"{len(seen)} of {options.count}")
    tell_figures(seen)
    tell(f"{mistakes} judged wrongly; {folder}")
    return 1 if mistakes else 0


def tell_figures(seen: list[tuple[str, Judged]]) -> None:
    counts = Counter((way, judged.by) for way, judged in seen)
    judges = ("reader", "trial", "death", "nobody")
    tell("refused by".ljust(12) + "".join(by.rjust(8) for by in judges))
    for way in WAYS:
        tell(way.ljust(12) + "".join(str(counts[way, by]).rjust(8) for by in judges))
    for by in judges:
        took_ms = sorted(1000 * judged.seconds for _, judged in seen if judged.by == by)
        if took_ms:
            tell(f"{by}: {len(took_ms)}, median {median(took_ms):.1f} ms, most {took_ms[-1]:.0f}")


def tell(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
