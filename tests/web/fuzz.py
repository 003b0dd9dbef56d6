"""Nonsense and slowness against a real run: does it still serve, and are its frames undisturbed?

    python -m tests.web.fuzz --count 10000 --slow 500

starts ``edge-runtime run`` on the demo with a token, measures its frames left alone, under requests
that were made wrong by a seeded mutator, and with slow clients hanging on, and prints JSON. On
loopback only. Exit code 1 when an answer was wrong or a frame was disturbed.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from edge_runtime.web.rights import rules
from tests.web.guarded import make_token

SECRETS: Final = (
    b"\xff\xd8\xff",
    b'"processed_fps":',
    b"edge_runtime_frames",
    b"Traceback",
    b"ert_",
)
"""What no answer to somebody without a token may hold; the fourth no answer at all."""

EXPECTED: Final = {200, 201, 303, 304, 307, 400, 401, 403, 404, 405, 408, 409, 413, 415, 421, 422,
                   429, 503}  # fmt: skip
WORDS: Final = (
    b"", b" ", b"\x00", b"\r\n", b"\r\n\r\n", b"\n", b"%00", b"%0d%0aset-cookie: a=b", b"../../etc",
    b"%2e%2e/", b"//", b"\xff\xfe", b"a" * 9000, b"-1", b"99999999999999999999", b"chunked", b"{}",
    b"[" * 500, b"\xc3\x28", b"host: evil.example\r\n", b"content-length: 5\r\n", b"?", b"#", b";",
    b"transfer-encoding: chunked\r\n", b"upgrade: websocket\r\nconnection: upgrade\r\n",
    b"expect: 100-continue\r\n", b"range: bytes=0-0,-1\r\n", b"cookie: " + b"a=b;" * 300 + b"\r\n",
)  # fmt: skip


def requests(port: int, token: str) -> list[bytes]:
    """One whole request for each address of the service, with and without the token."""
    made = []
    for rule in rules():
        path = rule.path.replace("{name:path}", "smile").replace("{version}", "shipped")
        for authorization in ("", f"authorization: Bearer {token}\r\n"):
            body = "" if rule.method == "GET" else '{"version": "shipped"}'
            made.append(
                f"{rule.method} {path.replace('{name}', 'page.js')} HTTP/1.1\r\n"
                f"host: 127.0.0.1:{port}\r\n{authorization}content-type: application/json\r\n"
                f"content-length: {len(body)}\r\n\r\n{body}".encode()
            )
    return made


def mutated(rng: random.Random, whole: bytes) -> bytes:
    """The request with one to four things wrong."""
    data = bytearray(whole)
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(data) + 1)
        match rng.randrange(5):
            case 0 if data:
                data[at % len(data)] = rng.randrange(256)
            case 1:
                data[at:at] = rng.choice(WORDS)
            case 2:
                del data[at : at + rng.randrange(1, 40)]
            case 3:
                data[at:at] = data[rng.randrange(len(data) + 1) :][: rng.randrange(1, 400)]
            case _:
                line = data.find(b"\r\n") + 2
                data[line:line] = rng.choice(WORDS)
    return bytes(data)


def answer_to(port: int, request: bytes, address: str, patience_s: float) -> bytes:
    """The beginning of what is answered; empty when nothing is, as half requests deserve."""
    with socket.create_connection(("127.0.0.1", port), 10, source_address=(address, 0)) as line:
        line.settimeout(patience_s)
        data = b""
        try:
            line.sendall(request)
            while len(data) < 20_000 and (chunk := line.recv(65536)):
                data += chunk
                if b"\r\n\r\n" in data and len(data) > 600:
                    break
        except (TimeoutError, ConnectionError):
            return data
        return data


def flaw(request: bytes, answer: bytes, token: str) -> str | None:
    """What is wrong with an answer; None when nothing is."""
    if not answer:
        return None
    head = answer.partition(b"\r\n\r\n")[0].lower()
    first = re.match(rb"HTTP/1\.1 (\d{3}) ", answer)
    if first is None:
        return "no answer of HTTP"
    if int(first[1]) not in EXPECTED | {100}:
        return f"status {first[1].decode()}"
    if b"\r\nserver:" in head:
        return "a banner"
    if first[1] != b"100" and b"frame-ancestors 'none'" not in head:
        return "no security headers"
    # Who sends a token, even a torn one, may be told what he sent.
    secrets = SECRETS[3:4] if b"ert_" in request else SECRETS
    return next((f"holds {secret!r}" for secret in secrets if secret in answer), None)


def bombard(
    port: int, token: str, *, count: int, seed: int, threads: int = 8, patience_s: float = 0.1
) -> tuple[Counter[str], list[str]]:
    """Statuses of ``count`` mutated requests, and the flaws of their answers."""
    rng = random.Random(seed)
    whole = requests(port, token)
    work = [
        (mutated(rng, rng.choice(whole)), f"127.{rng.randrange(1, 255)}.0.1") for _ in range(count)
    ]

    def one(job: tuple[bytes, str]) -> tuple[str, str | None]:
        request, address = job
        answer = answer_to(port, request, address, patience_s)
        wrong = flaw(request, answer, token)
        return answer[9:12].decode("latin-1") or "none", wrong and f"{wrong}: {request[:200]!r}"

    with ThreadPoolExecutor(threads) as pool:
        told = list(pool.map(one, work))
    return Counter(status for status, _ in told), [wrong for _, wrong in told if wrong]


@contextmanager
def slow_clients(port: int, count: int) -> Iterator[Callable[[], int]]:
    """So many that begin a request and never end it, coming again when they are dropped.

    Gives a function that lets each say one more byte; it tells how many came again.
    """

    def come() -> socket.socket:
        line = socket.create_connection(("127.0.0.1", port), 10)
        line.sendall(b"GET / HTTP/1.1\r\nx-slow: ")
        line.setblocking(False)
        return line

    lines = [come() for _ in range(count)]

    def trickle() -> int:
        again = 0
        for number, line in enumerate(lines):
            try:
                line.send(b"a")
            except (ConnectionError, BlockingIOError):
                line.close()
                lines[number], again = come(), again + 1
        return again

    try:
        yield trickle
    finally:
        for line in lines:
            line.close()


@contextmanager
def running(folder: Path) -> Iterator[tuple[int, int]]:
    """A real run on the demo that asks for a token; its port and process."""
    command = [sys.executable, "-m", "edge_runtime", "run", "--source", "demo://?faces=1"]
    options = ["--port", "0", "--set", "web.require_token=true", "--set", f"state_dir={folder}"]
    child = subprocess.Popen([*command, *options], stderr=subprocess.PIPE, text=True)
    assert child.stderr is not None
    try:
        port = int(child.stderr.readline().rstrip("/\n").rpartition(":")[2])
        yield port, child.pid
    finally:
        child.send_signal(signal.SIGTERM)
        child.communicate(timeout=20)


def status(port: int, token: str) -> dict[str, Any]:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/api/v1/status", headers={"authorization": f"Bearer {token}"}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        told: dict[str, Any] = json.load(answer)
        return told


class Frames:
    """Frames of a run between two moments."""

    def __init__(self, port: int, token: str, pid: int) -> None:
        self._ask = lambda: status(port, token)["rates"]
        self._pid = pid
        self._began, self._before, self._worked = time.monotonic(), self._ask(), worked_s(pid)

    def so_far(self) -> dict[str, float]:
        now, seconds = self._ask(), time.monotonic() - self._began
        done = {key: now[key] - self._before[key] for key in ("processed", "dropped")}
        fps = round(done["processed"] / seconds, 2)
        cpu = round((worked_s(self._pid) - self._worked) / seconds, 2)
        return {"seconds": round(seconds, 1), "fps": fps, "cpu": cpu, **done}


def worked_s(pid: int) -> float:
    """Processor time of a process (proc(5), fields 14 and 15)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK")


def resident_mb(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return round(pages * os.sysconf("SC_PAGESIZE") / 2**20, 1)


def ready(port: int, token: str) -> None:
    for _ in range(100):
        if status(port, token)["rates"]:
            return
        time.sleep(0.1)
    raise SystemExit("no frames came")


def measure(count: int, slow: int, seed: int, quiet_s: float) -> dict[str, Any]:
    """All of it, once."""
    with tempfile.TemporaryDirectory() as name:
        token = make_token(Path(name))
        with running(Path(name)) as (port, pid):
            # Whoever asks is elsewhere in truth: here he takes only the time that is left over.
            os.nice(19)
            ready(port, token)
            told: dict[str, Any] = {"seed": seed, "memory_mb": [resident_mb(pid)]}
            frames = Frames(port, token, pid)
            time.sleep(quiet_s)
            told["left alone"] = frames.so_far()
            frames = Frames(port, token, pid)
            statuses, told["flaws"] = bombard(port, token, count=count, seed=seed)
            told["nonsense"] = frames.so_far() | {"requests": count, "statuses": dict(statuses)}
            told["memory_mb"].append(resident_mb(pid))
            told["slow"] = _with_slow_clients(port, token, pid, slow, quiet_s)
            told["memory_mb"].append(resident_mb(pid))
            told["serves"] = status(port, token)["rates"] is not None
    alone = told["left alone"]["fps"]
    told["fine"] = not told["flaws"] and all(
        told[phase]["fps"] >= 0.9 * alone for phase in ("nonsense", "slow")
    )
    return told


def _with_slow_clients(
    port: int, token: str, pid: int, slow: int, seconds: float
) -> dict[str, Any]:
    with slow_clients(port, slow) as trickle:
        frames, slowest, again = Frames(port, token, pid), 0.0, 0
        ends_at = time.monotonic() + seconds
        while time.monotonic() < ends_at:
            again += trickle()
            asked_at = time.monotonic()
            status(port, token)
            slowest = max(slowest, time.monotonic() - asked_at)
            time.sleep(1)
        told = frames.so_far()
    return told | {"clients": slow, "came again": again, "slowest_answer_s": round(slowest, 2)}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--slow", type=int, default=500)
    parser.add_argument("--seed", type=int, default=6)
    parser.add_argument("--quiet-s", type=float, default=20.0)
    asked = parser.parse_args()
    told = measure(asked.count, asked.slow, asked.seed, asked.quiet_s)
    sys.stdout.write(json.dumps(told, indent=1) + "\n")
    return 0 if told["fine"] else 1


if __name__ == "__main__":
    sys.exit(main())
