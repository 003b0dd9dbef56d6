"""A real Prometheus reads a real run; every query of the dashboard and the alerts has an answer.

The board below the run is a recorded Pi 4B, but its load is that of this machine: power follows it.
"""

from __future__ import annotations

import json
import math
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from edge_runtime.app import runtime as runtime_module
from edge_runtime.app.runtime import Runtime
from edge_runtime.config import load_config
from edge_runtime.telemetry.health import HealthReader
from tests.app.prometheus import Prometheus
from tests.telemetry.recorded import RecordedMachine

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
DASHBOARD: dict[str, Any] = json.loads((DEPLOY / "grafana" / "edge-runtime.json").read_text())
ALERTS = DEPLOY / "prometheus" / "edge-runtime-alerts.yml"

pytestmark = [
    pytest.mark.prometheus,
    pytest.mark.slow,
    pytest.mark.skipif(
        shutil.which("prometheus") is None or shutil.which("promtool") is None,
        reason="needs Prometheus: scripts/test --all, or apt install prometheus",
    ),
]

QUERIES = {
    f"{panel['title']} {target['refId']}": target["expr"]
    for panel in DASHBOARD["panels"]
    for target in panel.get("targets", ())
}
VARIABLES = {
    each["name"]: each["query"]["query"]
    for each in DASHBOARD["templating"]["list"]
    if each["type"] == "query"
}


def filled(expression: str) -> str:
    """As Grafana asks it where all of everything is chosen."""
    for name, value in {"__rate_interval": "5s", **dict.fromkeys(VARIABLES, ".*")}.items():
        expression = re.sub(rf"\$({name}\b|\{{{name}\}})", value, expression)
    assert "$" not in expression
    return expression


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    folder = tmp_path_factory.mktemp("run")
    board = RecordedMachine(folder / "board", "pi4b")
    board.remove("proc/stat")
    board.link("proc/stat", "/proc/stat")
    # Quiet hours at all hours: the governor's limits are there to be seen.
    settings = {
        "source.uri": "demo://?faces=2",
        "web.port": 0,
        "governor.quiet_hours": "00:00-23:59",
        "telemetry.interval_s": 0.5,
        "state_dir": str(folder),
    }
    stop = threading.Event()
    with pytest.MonkeyPatch.context() as patch:
        reader = partial(HealthReader, board.root, run_command=board.run)
        patch.setattr(runtime_module, "HealthReader", reader)
        with Runtime(load_config(None, {}, settings)) as runtime:
            assert runtime.page is not None
            port = int(runtime.page.url.rstrip("/").rpartition(":")[2])
            running = threading.Thread(target=runtime.run, args=(stop,))
            running.start()
            try:
                with Prometheus(folder, port) as reading:
                    # A rate needs two samples of a histogram that grows between them.
                    slowest = filled(QUERIES["A frame's processing A"])
                    reading.until(
                        lambda: known(reading.ask(slowest)), "no frame's latency was scraped"
                    )
                    yield reading
            finally:
                stop.set()
                running.join(20)


def known(samples: list[dict[str, Any]]) -> bool:
    return bool(samples) and all(math.isfinite(float(each["value"][1])) for each in samples)


@pytest.mark.parametrize("name", QUERIES)
def test_every_query_of_the_dashboard_has_an_answer(prometheus: Prometheus, name: str) -> None:
    query = filled(QUERIES[name])
    prometheus.until(
        lambda: known(prometheus.ask(query)), f"{query}: {prometheus.ask(query)}", seconds=15
    )


@pytest.mark.parametrize("name", VARIABLES)
def test_every_variable_has_values(prometheus: Prometheus, name: str) -> None:
    found = re.fullmatch(r"label_values\((.*), (\w+)\)", VARIABLES[name])
    assert found
    samples = prometheus.ask(filled(found[1]))
    assert samples
    assert all(each["metric"][found[2]] for each in samples)


def test_annotations_can_be_asked(prometheus: Prometheus) -> None:
    for each in DASHBOARD["annotations"]["list"]:
        prometheus.ask(filled(each["expr"]))  # no answer is right: nothing was started anew


def test_alerts_speak_of_metrics_that_there_are(prometheus: Prometheus) -> None:
    text = ALERTS.read_text()
    named = set(re.findall(r"edge_runtime_\w+", text))
    assert named
    assert [metric for metric in sorted(named) if not prometheus.ask(metric)] == []


def test_no_alert_fires_on_a_run_that_is_well(prometheus: Prometheus) -> None:
    rules = re.findall(r"expr: (?:>-\n)?((?:.|\n)*?)\n +(?:for|annotations):", ALERTS.read_text())
    assert len(rules) == ALERTS.read_text().count("- alert:")
    assert {rule: found for rule in rules if (found := prometheus.ask(rule))} == {}


def test_promtool_takes_what_is_scraped(prometheus: Prometheus) -> None:
    (target,) = prometheus.ask("up")
    port = target["metric"]["instance"].rpartition(":")[2]
    from edge_runtime.client import Client

    text = Client(f"http://127.0.0.1:{port}").metrics()
    done = subprocess.run(
        ["promtool", "check", "metrics"], input=text, capture_output=True, text=True, timeout=30
    )
    assert (done.stderr, done.returncode) == ("", 0)


def test_promtool_takes_our_files(tmp_path: Path) -> None:
    for file in (DEPLOY / "prometheus").iterdir():
        text = file.read_text().replace("/etc/prometheus/edge-runtime.token", str(tmp_path / "t"))
        (tmp_path / file.name).write_text(text)
    (tmp_path / "t").write_text("token")
    done = subprocess.run(
        ["promtool", "check", "config", str(tmp_path / "prometheus.yml")],
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "7 rules found" in done.stdout
