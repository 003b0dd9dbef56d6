"""Debian's Prometheus as a child process, with a folder of its own."""

from __future__ import annotations

import json
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

CONFIG = """\
global: {{scrape_interval: 500ms}}
scrape_configs:
  - job_name: edge-runtime
    static_configs: [{{targets: ["127.0.0.1:{port}"]}}]
"""


class Prometheus:
    """Reads the metrics at ``port`` twice a second for the length of the block."""

    def __init__(self, folder: Path, port: int) -> None:
        config = folder / "prometheus.yml"
        config.write_text(CONFIG.format(port=port))
        with socket.create_server(("127.0.0.1", 0)) as free:
            self._url = f"http://127.0.0.1:{free.getsockname()[1]}"
        self._command = [
            "prometheus",
            f"--config.file={config}",
            f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address={self._url.removeprefix('http://')}",
            "--log.level=error",
        ]

    def __enter__(self) -> Prometheus:
        self._child = subprocess.Popen(self._command, stderr=subprocess.PIPE, text=True)
        return self

    def __exit__(self, *_: object) -> None:
        self._child.terminate()
        self._child.communicate(timeout=20)

    def ask(self, expression: str) -> list[dict[str, Any]]:
        """The samples of now; what it cannot understand fails the test with its words."""
        query = urllib.parse.urlencode({"query": expression})
        try:
            with urllib.request.urlopen(f"{self._url}/api/v1/query?{query}", timeout=10) as answer:
                found: list[dict[str, Any]] = json.load(answer)["data"]["result"]
        except urllib.error.HTTPError as error:
            if error.code != 503:
                pytest.fail(f"{expression}: {error.read().decode()}")
            return []  # it has not started yet
        except urllib.error.URLError:
            return []
        return found

    def until(self, true: Callable[[], bool], problem: str, seconds: float = 40.0) -> None:
        """Look ten times a second; whoever waits for a child process can inject no clock."""
        give_up_at, never = time.monotonic() + seconds, threading.Event()
        while not true():
            if self._child.poll() is not None:
                assert self._child.stderr is not None
                pytest.fail(f"prometheus ended: {self._child.stderr.read()}")
            if time.monotonic() > give_up_at:
                pytest.fail(problem)
            never.wait(0.1)
