from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from edge_runtime.engine.inspection import inspect_content, measure_latency
from edge_runtime.errors import ModelRejected
from tests.engine.tiny_tflite import MODELS


def test_file_is_described_as_plain_values() -> None:
    path = MODELS / "two_outputs.tflite"
    said = json.loads(json.dumps(inspect_content(path.read_bytes(), path).as_json()))
    assert said["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert said["bytes"] == path.stat().st_size
    assert said["operators"] == {"DEPTHWISE_CONV_2D": 1, "CONV_2D": 1}
    assert (said["parameters"], said["macs"], said["uncounted_operators"]) == (50, 1152, [])
    assert [output["name"] for output in said["outputs"]] == ["scores", "sizes"]
    assert said["inputs"] == [
        {"name": "image", "shape": [1, 8, 8, 1], "dtype": "int8", "scale": 1.0, "zero_point": -128}
    ]


def test_what_is_no_model_is_refused_by_its_name() -> None:
    with pytest.raises(ModelRejected, match=r"nowhere\.tflite is no \.tflite model"):
        inspect_content(b"hello", Path("nowhere.tflite"))


def test_latency_is_a_median_of_runs() -> None:
    content = (MODELS / "int8_logits.tflite").read_bytes()
    latency = measure_latency(content, name="int8_logits", runs=5, backend="fake")
    assert latency.median_ms > 0
    assert (latency.runs, latency.backend, latency.threads) == (5, "fake", 1)
