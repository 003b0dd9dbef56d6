"""docs/proven-on-arm.md from the results of a run: a row for each check, also for those not run.

    python -m tests.proof_page --arm build/pi/arm.xml --vm build/pi/vm.xml \\
        --instructions build/pi/instructions.txt --output docs/proven-on-arm.md
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from tests.proof import Outcome, read_junit, title_of
from tests.vm.__main__ import CHECKS

HEAD = """\
# Proven on ARM

What runs on arm64 Debian in an emulator before a release, since nobody here owns a board. Made by
`scripts/test-pi` on {date} from commit {commit}; a figure is what that run found. Why an emulator,
and what its clock is worth: [decision 20](decisions/0020-emulated-boards.md).
"""

ARM = """
## User-mode emulation: as a Pi 3, 4 and 5

`python -m tests.arm`: Debian's own Python and the aarch64 wheels on an x86 machine, with the
processor of a Pi 3 (Cortex-A53), 4 (A72) or 5 (A76). *Bit-identical* compares hashes of all outputs
over 20 seeded inputs with those of x86, computed in the same run.
"""

VM = """
## Full emulation: Debian trixie with systemd

`python -m tests.vm`: kernel, systemd and our package in a virtual machine with 1 GiB. Seconds are
the machine's own, at 500 million instructions a second: less than a Pi 3 does.
"""

INSTRUCTIONS = """
## Instructions

`python -m benchmarks.arm_instructions --check`: more than 3 % above the kept figure fails. What
they mean: [performance-arm.md](performance-arm.md).
"""

UNPROVEN = """
## Not proven

No emulator shows these. On a board, `tests/pi/run >report.md` (a single file, `tests/pi/report.py`,
is enough) measures them in two minutes and changes nothing; attach the report to an issue.

- the GPU firmware's boot stage, and any boot of a Pi 5
- real CSI cameras: picamera2's capture, the ISP's small stream, several cameras
- Wi-Fi, Bluetooth, and mDNS over them
- real watts, heat and throttling; under-voltage
- frames per second and latency on a board
- GPIO pins and I2C meters
"""


def page(
    *,
    date: str,
    commit: str,
    arm: Sequence[Outcome],
    vm: Sequence[Outcome],
    instructions: Sequence[str],
    vm_titles: Sequence[str],
    note: str | None = None,
) -> str:
    """The whole page. Checks of ``vm_titles`` without an outcome are said not to have run.

    ``note``: what was unusual about this run.
    """
    counted = "\n".join(["```", *instructions, "```"]) if instructions else "Not run this time."
    return "\n".join(
        [
            HEAD.format(date=date, commit=commit).rstrip(),
            *(["", note] if note else []),
            ARM,
            *_table(arm),
            VM,
            *_table(vm, _missing(vm, vm_titles)),
            INSTRUCTIONS,
            counted,
            UNPROVEN.rstrip(),
            "",
        ]
    )


def _table(outcomes: Sequence[Outcome], missing: Sequence[str] = ()) -> list[str]:
    if not outcomes and not missing:
        return ["Not run this time."]
    rows = [
        f"| {_cell(each.name)} | {'passed' if each.passed else '**failed**'} | {_cell(each.said)} |"
        for each in outcomes
    ]
    untried = [f"| {_cell(title)} | not run | |" for title in missing]
    return ["| Check | | Found |", "|---|---|---|", *rows, *untried]


def _missing(outcomes: Sequence[Outcome], titles: Sequence[str]) -> list[str]:
    run = {outcome.name for outcome in outcomes}
    return [title for title in titles if title not in run]


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _outcomes(files: Sequence[Path]) -> list[Outcome]:
    """Of the parts that ran as far as writing their results."""
    return [outcome for file in files if file.exists() for outcome in read_junit(file)]


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    for name in ("arm", "vm"):
        parser.add_argument(f"--{name}", type=Path, nargs="+", default=[])
    parser.add_argument("--instructions", type=Path)
    parser.add_argument("--commit", help="what was tried, if not what is checked out")
    parser.add_argument("--note", help="what was unusual about this run")
    parser.add_argument("--output", type=Path, required=True)
    given = parser.parse_args(arguments)
    counted = given.instructions
    given.output.write_text(
        page(
            date=datetime.now(UTC).strftime("%Y-%m-%d"),
            commit=given.commit or _git("rev-parse", "--short=10", "HEAD"),
            arm=_outcomes(given.arm),
            vm=_outcomes(given.vm),
            instructions=counted.read_text().splitlines() if counted and counted.exists() else (),
            vm_titles=[title_of(check) for check in CHECKS],
            note=given.note,
        )
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
