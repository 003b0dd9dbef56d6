"""When the page is first seen: ``python -m benchmarks.first_paint [--url URL] [--slower 1 4 6]``.

A real Chromium opens the page of a running edge-runtime anew, with an empty cache, its processor
slowed down by each factor in turn; quoted are medians of the first contentful paint and of the
moment when the first numbers stand there. A phone or a desktop opens the page, not the board, so
the factors are for slow phones; how quickly the board answers is in it unslowed.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from pathlib import Path

from tests.web.browser import open_chromium

PAINT = "return performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? null"
NUMBERS = """
const done = arguments[0];
const look = () => document.getElementById("sentence").textContent.includes("frames a second")
  ? done(performance.now()) : setTimeout(look, 10);
look();
"""


def opened(url: str, slower: float) -> tuple[float, float]:
    """Milliseconds to the first paint and to the first numbers, of one fresh browser."""
    with tempfile.TemporaryDirectory() as profile, open_chromium(Path(profile)) as driver:
        driver.set_script_timeout(60)
        driver.execute_cdp_cmd("Emulation.setCPUThrottlingRate", {"rate": slower})
        driver.get(url)
        numbers = float(driver.execute_async_script(NUMBERS))
        return float(driver.execute_script(PAINT)), numbers


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", default="http://127.0.0.1:8000")
    parser.add_argument("--slower", type=float, nargs="+", default=[1, 4, 6])
    parser.add_argument("--times", type=int, default=5)
    chosen = parser.parse_args()
    print("| processor slower by | first paint, ms | first numbers, ms |\n|---|---|---|")
    for slower in chosen.slower:
        seen = [opened(chosen.url, slower) for _ in range(chosen.times)]
        paint, numbers = (statistics.median(each) for each in zip(*seen, strict=True))
        print(f"| {slower:g} | {paint:.0f} | {numbers:.0f} |", flush=True)


if __name__ == "__main__":
    main()
