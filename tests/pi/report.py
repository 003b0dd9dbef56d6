"""What only a real Raspberry Pi can show, as a report to attach to an issue.

    python3 report.py >report.md
    python3 report.py --idle-w 2.7 --running-w 4.1   # read off a power meter, if there is one

Needs the installed edge-runtime and Python's standard library, nothing else; changes nothing. Names
of hosts and networks, addresses and serial numbers are left out.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FRAMES = 150
TIMEOUT_S = 180.0
# ` 0 : imx708 [4608x2592 10-bit RGGB] (/base/soc/i2c0mux/i2c@1/imx708@1a)`
CAMERA = re.compile(r"(?m)^\s*(\d+) : (\S+) \[(\d+x\d+)")

Run = Callable[[Sequence[str]], "str | None"]
"""What a command printed; None when it is not there, fails or takes too long."""


@dataclass(frozen=True)
class Row:
    """One thing that no emulator shows."""

    what: str
    shown: str | None
    """None: this board, or this system, does not tell."""


@dataclass(frozen=True)
class Meter:
    """What a power meter before the supply said, if there is one."""

    idle_w: float | None = None
    running_w: float | None = None


def rows(root: Path, run: Run, meter: Meter) -> Iterator[Row]:
    """All of them, in the order in which a board comes up."""
    before = _heat(root, run)
    yield from _board(root, run)
    yield Row("boot", _first_line(run(["systemd-analyze"])))
    yield Row("service", _service(run))
    yield from _cameras(run)
    yield Row("Wi-Fi", _wifi(root, run))
    yield from _speed(run)
    yield Row("heat and throttling before", before)
    yield Row("heat and throttling after", _heat(root, run))
    yield Row("supply rails (PMIC)", _rails(run))
    yield Row("power meter", _meter(meter))


def report(found: Sequence[Row], doctor: str | None) -> str:
    """Markdown; what the board does not tell is listed, not left out."""
    table = [f"| {row.what} | {_cell(row.shown)} |" for row in found if row.shown is not None]
    unknown = ", ".join(row.what for row in found if row.shown is None)
    return "\n".join(
        [
            "# edge-runtime on a board",
            "",
            "| What | Found |",
            "|---|---|",
            *table,
            "",
            f"Not told here: {unknown or 'nothing'}.",
            "",
            "```",
            (doctor or "edge-runtime doctor does not answer").rstrip(),
            "```",
            "",
        ]
    )


def _board(root: Path, run: Run) -> Iterator[Row]:
    yield Row("board", _text(root / "proc/device-tree/model"))
    yield Row("system", _field(_text(root / "etc/os-release"), r'(?m)^PRETTY_NAME="?([^"\n]+)'))
    yield Row("kernel", _first_line(run(["uname", "-rm"])))
    yield Row("firmware", _field(run(["vcgencmd", "version"]), r"(?m)^version (\S+)"))
    yield Row("boot loader", _first_line(run(["vcgencmd", "bootloader_version"])))
    yield Row("memory", _field(_text(root / "proc/meminfo"), r"(?m)^MemTotal:\s+(\d+ kB)"))
    yield Row("version", _first_line(run(["edge-runtime", "--version"])))


def _service(run: Run) -> str | None:
    names = "ActiveState,SubState,NRestarts,StatusText"
    said = run(["systemctl", "show", "edge-runtime", f"--property={names}"])
    if not said:
        return None
    return ", ".join(line for line in said.splitlines() if not line.endswith("="))


def _cameras(run: Run) -> Iterator[Row]:
    """Each camera that libcamera lists, run for a while. The service holds one: stop it before."""
    listed = run(["rpicam-hello", "--list-cameras"])
    cameras = CAMERA.findall(listed or "")
    if not cameras:
        yield Row("CSI camera", None if listed is None else "none is connected")
    for number, name, size in cameras:
        said = run(_run_command(f"picamera://{number}"))
        figure = _summary(said) or "did not run: stop the service first, or see the doctor below"
        yield Row(f"CSI camera {number}", f"{name} {size}: {figure}")
    yield Row("demo", _summary(run(_run_command("demo://"))))


def _run_command(source: str) -> list[str]:
    frames = ["--max-frames", str(FRAMES)]
    return ["edge-runtime", "run", "--no-web", "--json", *frames, "--source", source]


def _summary(said: str | None) -> str | None:
    found = _json(said)
    if found is None:
        return None
    frame, age = (found["latency_ms"].get(key, {}) for key in ("frame", "age"))
    return (
        f"{found['frames']} frames, {found['fps']:.1f} fps, {found['dropped']} dropped, "
        f"frame {frame.get('p50')} ms (p95 {frame.get('p95')}), age {age.get('p50')} ms"
    )


def _speed(run: Run) -> Iterator[Row]:
    found = _json(run(["edge-runtime", "bench", "latency", "pipeline", "--runs", "100", "--json"]))
    if found is None:
        yield Row("bench", None)
        return
    for name in ("latency", "pipeline"):
        yield Row(f"bench {name}", json.dumps(found[name]))


def _wifi(root: Path, run: Run) -> str | None:
    """State, signal and rate; never the name of the network."""
    found = sorted((root / "sys/class/net").glob("wl*"))
    if not found:
        return None
    interface = found[0].name
    said = run(["iw", "dev", interface, "link"]) or ""
    kept = re.findall(r"(?m)^\s*((?:signal|tx bitrate|freq): .*)$", said)
    return ", ".join([_text(found[0] / "operstate") or "state unknown", *kept])


def _heat(root: Path, run: Run) -> str | None:
    millidegrees = _text(root / "sys/class/thermal/thermal_zone0/temp")
    degrees = f"{int(millidegrees) / 1000:.1f} °C" if millidegrees else None
    alarms = _first_line(run(["vcgencmd", "get_throttled"]))
    return ", ".join(filter(None, (degrees, alarms))) or None


def _rails(run: Run) -> str | None:
    """Sum of voltage times current over the rails that have both, as a Pi 5 tells them."""
    said = run(["vcgencmd", "pmic_read_adc"]) or ""
    readings = re.findall(r"(\w+)_([AV]) \w+\(\d+\)=([\d.]+)[AV]", said)
    amperes = {name: float(value) for name, unit, value in readings if unit == "A"}
    volts = {name: float(value) for name, unit, value in readings if unit == "V"}
    both = amperes.keys() & volts.keys()
    if not both:
        return None
    return f"{sum(amperes[name] * volts[name] for name in both):.2f} W on {len(both)} rails"


def _meter(meter: Meter) -> str | None:
    said = [("idle", meter.idle_w), ("running", meter.running_w)]
    return ", ".join(f"{name} {watts:.2f} W" for name, watts in said if watts is not None) or None


def _json(said: str | None) -> dict[str, Any] | None:
    try:
        found = json.loads(said or "")
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _text(file: Path) -> str | None:
    try:
        return file.read_bytes().decode("utf-8", "replace").strip("\0\n ")
    except OSError:
        return None


def _field(text: str | None, pattern: str) -> str | None:
    found = re.search(pattern, text or "")
    return found[1] if found else None


def _first_line(text: str | None) -> str | None:
    return (text or "").strip().partition("\n")[0] or None


def _cell(text: str | None) -> str:
    return (text or "").replace("|", "\\|").replace("\n", " ")


def run_command(argv: Sequence[str]) -> str | None:
    """As ``Run`` says."""
    try:
        done = subprocess.run(
            list(argv), capture_output=True, text=True, timeout=TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None


DOCTOR = ("sh", "-c", "edge-runtime doctor --json || [ $? = 1 ]")
"""Exit code 1 only says that it found something."""


def doctor(run: Run) -> str | None:
    """A line for each of its findings."""
    said = _json(run(DOCTOR))
    findings = (said or {}).get("findings")
    if not isinstance(findings, list):
        return None
    return "\n".join(f"{f['state']:<8}{f['name']}: {f['text']}" for f in findings)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--idle-w", type=float, help="a meter's watts while nothing runs")
    parser.add_argument("--running-w", type=float, help="a meter's watts while it runs")
    given = parser.parse_args(arguments)
    found = list(rows(Path("/"), run_command, Meter(given.idle_w, given.running_w)))
    sys.stdout.write(report(found, doctor(run_command)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
