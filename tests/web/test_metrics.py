"""Prometheus reads what the status says, in base units, and nothing that is unknown."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace

import pytest
from prometheus_client.parser import text_string_to_metric_families

from edge_runtime.events.rule import Rule
from edge_runtime.events.rules import RuleState
from edge_runtime.events.runner import Tally
from edge_runtime.types import Allowance
from tests.web.fake_status import HEALTH, LOST, FakeCamera, FakeStatus, snapshot
from tests.web.served import Served

CAMERA = {"camera": "camera"}
GATE = RuleState(
    Rule("gate", ("face_came",)),
    "switch GPIO 17",
    2,
    Tally(done=4, failed=0, dropped=0, waiting=0, problem=None),
)


def scrape(served: Served) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    answer = served.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


@pytest.mark.parametrize(
    ("name", "labels", "value"),
    [
        ("frames_processed_total", CAMERA, 4477),
        ("frames_dropped_total", CAMERA, 24),
        ("inferences_total", CAMERA, 9000),
        ("faces", CAMERA, 2),
        ("frame_rate_hertz", CAMERA | {"frames": "captured"}, 30.0),
        ("stage_duration_seconds_bucket", CAMERA | {"stage": "detect", "le": "0.005"}, 0),
        ("stage_duration_seconds_bucket", CAMERA | {"stage": "detect", "le": "0.01"}, 4477),
        ("stage_duration_seconds_bucket", CAMERA | {"stage": "detect", "le": "+Inf"}, 4477),
        ("stage_duration_seconds_count", CAMERA | {"stage": "detect"}, 4477),
        ("stage_duration_seconds_sum", CAMERA | {"stage": "detect"}, 4477 * 0.00625),
        ("temperature_celsius", {}, 54.2),
        ("peak_memory_bytes", {}, 101.0 * 1024 * 1024),
        ("system_cpu_ratio", {}, 0.18),
        ("power_watts", {"source": "model of a Pi 4B", "scope": "board"}, 3.412),
        ("energy_per_frame_joules", {}, 0.1145),
        ("throttling", {"alarm": "under_voltage", "when": "now"}, 0),
        ("throttling", {"alarm": "under_voltage", "when": "since_boot"}, 1),
        ("camera_state", CAMERA | {"state": "streaming"}, 1),
        ("camera_state", CAMERA | {"state": "lost"}, 0),
        ("camera_reopened_total", CAMERA, 0),
        ("build_info", {"version": "1.2.3"}, 1),
        ("model_size_bytes", {"name": "face-glance"}, 43584),
        ("preview_viewers", {}, 0),
        ("governor_level", {}, 0),
        ("governor_detect_every_frames", {}, 1),
        ("frames_skipped_total", CAMERA, 0),
    ],
)
def test_metrics(name: str, labels: dict[str, str], value: float) -> None:
    found = scrape(Served())
    assert found["edge_runtime_" + name, tuple(sorted(labels.items()))] == pytest.approx(value)


def test_names_have_our_prefix_or_are_those_of_every_program() -> None:
    names = {name for name, _ in scrape(Served()) if not name.startswith("edge_runtime_")}
    assert names == {
        "process_cpu_seconds_total",
        "process_max_fds",
        "process_open_fds",
        "process_resident_memory_bytes",
        "process_start_time_seconds",
        "process_virtual_memory_bytes",
    }


def test_a_histogram_counts_upwards() -> None:
    counts = [
        value
        for (name, labels), value in scrape(Served()).items()
        if name == "edge_runtime_stage_duration_seconds_bucket" and ("stage", "age") in labels
    ]
    assert counts == sorted(counts)
    assert counts[-1] == 4477


@pytest.mark.prometheus
@pytest.mark.skipif(shutil.which("promtool") is None, reason="needs apt install prometheus")
def test_promtool_finds_nothing_to_say() -> None:
    served = Served(FakeStatus(name="front", others=(FakeCamera("back"),)))
    served.status.allowed = Allowance(1, 3, 15.0, ("Hot",), 5)
    text = served.get("/metrics").text
    checked = subprocess.run(
        ["promtool", "check", "metrics"], input=text, capture_output=True, text=True, timeout=30
    )
    assert (checked.stderr, checked.returncode) == ("", 0)


def test_what_is_unknown_is_left_out() -> None:
    served = Served()
    served.status.well = replace(
        HEALTH, temperature_c=None, power=None, throttling=None, system_cpu_percent=None
    )
    names = {name for name, _ in scrape(served)}
    for word in ("temperature_celsius", "power", "throttling", "system_cpu_ratio", "cma"):
        assert not {name for name in names if name.startswith(f"edge_runtime_{word}")}


def test_what_is_given_up() -> None:
    served = Served()
    assert not {name for name, _ in scrape(served) if "governor" in name and "limit" in name}
    served.status.allowed, served.status.left = Allowance(1, 3, 15.0, ("Hot",), 5), 77
    found = {name: value for (name, _), value in scrape(served).items()}
    assert found["edge_runtime_governor_level"] == 5
    assert found["edge_runtime_governor_detect_every_frames"] == 3
    assert found["edge_runtime_governor_looks_limit"] == 1
    assert found["edge_runtime_governor_frame_rate_limit_hertz"] == 15
    assert found["edge_runtime_frames_skipped_total"] == 77


def test_before_the_first_frame_only_the_camera_is_known() -> None:
    names = {name for name, _ in scrape(Served(FakeStatus(None, None)))}
    assert "edge_runtime_camera_state" in names
    of_the_governor = {
        "edge_runtime_frames_skipped_total",
        "edge_runtime_governor_detect_every_frames",
    }
    names = {name for name in names - of_the_governor if not name.startswith("process_")}
    assert not {name for name in names if "frame" in name or "memory" in name}


def test_openmetrics_when_asked() -> None:
    answer = Served().get("/metrics", headers={"accept": "application/openmetrics-text"})
    assert answer.headers["content-type"].startswith("application/openmetrics-text")
    assert answer.text.endswith("# EOF\n")


def test_metrics_of_a_camera_carry_its_name() -> None:
    others = (FakeCamera("back", snapshot(faces=()), LOST), FakeCamera("yard", None))
    found = scrape(Served(FakeStatus(name="front", others=others)))

    def of(camera: str, name: str, **more: str) -> float | None:
        labels = {"camera": camera} | more
        return found.get((f"edge_runtime_{name}", tuple(sorted(labels.items()))))

    assert (of("front", "faces"), of("back", "faces"), of("yard", "faces")) == (2, 0, None)
    assert of("back", "frames_dropped_total") == 24
    assert [of(name, "camera_state", state="lost") for name in ("front", "back")] == [0, 1]
    assert of("back", "stage_duration_seconds_count", stage="detect") == 4477
    # What belongs to the machine and to all cameras has no camera.
    assert ("edge_runtime_temperature_celsius", ()) in found
    assert ("edge_runtime_model_size_bytes", (("name", "face-glance"),)) in found


def test_each_family_is_announced_once() -> None:
    text = Served(FakeStatus(others=(FakeCamera("back"),))).get("/metrics").text
    announced = [line for line in text.splitlines() if line.startswith("# TYPE")]
    assert len(announced) == len(set(announced)) > 20


def test_what_happened_is_counted_from_zero_by_kind_and_camera() -> None:
    served = Served(FakeStatus(name="front", others=(FakeCamera("yard", snapshot(), LOST),)))
    served.status.log.tell("camera_lost", "Lost", camera="yard", problem="unplugged")
    served.status.log.tell("throttled", "Throttled", alarm="throttled")
    samples = scrape(served)

    def events(kind: str, camera: str) -> float:
        labels = (("camera", camera), ("kind", kind))
        return samples["edge_runtime_events_total", labels]

    assert events("camera_lost", "yard") == 1
    assert events("camera_lost", "front") == 0
    assert events("throttled", "") == 1
    assert events("model_refused", "") == 0
    assert (
        "edge_runtime_events_total",
        (("camera", "front"), ("kind", "throttled")),
    ) not in samples


def test_what_became_of_a_rules_firings_is_counted() -> None:
    served = Served()
    served.status.ruled = (GATE,)
    samples = scrape(served)
    labels = {"rule": "gate", "outcome": "held_back"}
    assert samples["edge_runtime_rule_firings_total", tuple(sorted(labels.items()))] == 2
