"""Inside the virtual machine, for the tests alone: POST a shell command, get what came of it."""

from __future__ import annotations

import json
import subprocess
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PORT = 9999


class Agent(BaseHTTPRequestHandler):
    """Reachable through the emulator's port forward, from the host's loopback only."""

    def do_POST(self) -> None:
        command = self.rfile.read(int(self.headers["content-length"])).decode()
        done = subprocess.run(
            ["/bin/bash", "-c", command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        text = done.stdout.decode("utf-8", "replace")
        answer = json.dumps({"code": done.returncode, "text": text}).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *arguments: object) -> None:
        """Say nothing: what is written to the journal would disturb what is measured."""


if __name__ == "__main__":
    ThreadingHTTPServer(("0.0.0.0", PORT), Agent).serve_forever()
