"""Faces found in recorded clips: ``benchmarks/clips.py CLIP… [--empty CLIP] [--set KEY=VALUE]``.

Every frame of a CLIP shows a face, no frame of an ``--empty`` clip does. Each clip goes through the
whole of ``edge-runtime run``, with the default configuration but for ``--set``; nothing is dropped.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import quote


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("clips", nargs="+", type=Path)
    parser.add_argument("--empty", action="append", type=Path, default=[])
    parser.add_argument("--set", dest="settings", action="append", default=[])
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    settings = [word for setting in arguments.settings for word in ("--set", setting)]
    rows = [row(clip, settings, empty=False) for clip in arguments.clips]
    rows += [row(clip, settings, empty=True) for clip in arguments.empty]
    print(json.dumps(rows, indent=2) if arguments.json else table(rows))


def row(clip: Path, settings: list[str], *, empty: bool) -> dict[str, Any]:
    """One clip's counts, as ``edge-runtime run`` sums them up."""
    command = [sys.executable, "-m", "edge_runtime", "run", "--no-web", "--json"]
    command += ["--log-level", "error", "--source", f"file://{quote(str(clip.resolve()))}"]
    command += settings
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    summary = json.loads(done.stdout)
    return {
        "clip": clip.name,
        "frames": summary["frames"],
        "frames_with_face": summary["frames_with_face"],
        "share": round(summary["frames_with_face"] / summary["frames"], 4),
        "faces": summary["faces"],
        "empty": empty,
    }


def table(rows: list[dict[str, Any]]) -> str:
    """The rows aligned, for people."""
    lines = [f"{'clip':<44} {'frames':>7} {'with a face':>12} {'share':>7} {'faces':>6}"]
    lines += [
        f"{each['clip']:<44} {each['frames']:>7} {each['frames_with_face']:>12} "
        f"{each['share']:>7.1%} {each['faces']:>6}"
        for each in rows
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
