"""What docs/privacy.md promises, seen from outside of a real run."""

from __future__ import annotations

import itertools
import os
import re
import shutil
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

RUN = [sys.executable, "-m", "edge_runtime", "run", "--source", "demo://?faces=1", "--port", "0"]
PICTURES = (b"\xff\xd8\xff", b"\x89PNG", b"RIFF")
NOBODY = "http://192.0.2.1/"
"""Reserved for documentation (RFC 5737)."""

IN_A_VOID = 'ip link set lo up && "$@"; code=$?; cat /proc/net/snmp /proc/net/snmp6; exit $code'
"""With the kernel's own count of what was tried, which is of this namespace alone."""


@pytest.fixture
def environment(tmp_path: Path, repository: Path) -> dict[str, str]:
    for name in ("home", "temporary"):
        (tmp_path / name).mkdir()
    return {
        "HOME": str(tmp_path / "home"),
        "TMPDIR": str(tmp_path / "temporary"),
        "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
        "PYTHONPATH": str(repository),
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def in_a_void(
    command: Sequence[str], environment: dict[str, str]
) -> tuple[subprocess.CompletedProcess[str], dict[str, int]]:
    """Run where there is loopback and no way out; what the network stack counted meanwhile."""
    if os.geteuid() != 0 or shutil.which("unshare") is None or shutil.which("ip") is None:
        pytest.skip("a network namespace needs root, unshare (util-linux) and ip (iproute2)")
    void = ["unshare", "--net", "sh", "-c", IN_A_VOID, "sh", *command]
    done = subprocess.run(
        void, capture_output=True, text=True, timeout=60, env=environment, check=False
    )
    if "unshare failed" in done.stderr:
        pytest.skip(f"no network namespace here: {done.stderr.strip()}")
    return done, counted(done.stdout)


def counted(snmp: str) -> dict[str, int]:
    """``Ip.OutNoRoutes`` and so on, of both tables (proc_net_snmp)."""
    found: dict[str, int] = {}
    lines = snmp.splitlines()
    for names, values in itertools.pairwise(lines):
        kind = names.partition(":")[0]
        if ":" in names and values.startswith(f"{kind}:"):
            pairs = zip(names.split()[1:], values.split()[1:], strict=True)
            found |= {f"{kind}.{name}": int(value) for name, value in pairs}
    for line in lines:
        if re.fullmatch(r"\w+6\w*\s+\d+", line):
            name, value = line.split()
            found[name] = int(value)
    return found


@pytest.mark.slow
def test_no_connection_is_tried_to_anywhere(environment: dict[str, str]) -> None:
    done, tried = in_a_void([*RUN, "--max-frames", "60"], environment)
    assert done.returncode == 0, done.stderr
    assert "60 frames" in done.stderr
    assert "page: http://127.0.0.1:" in done.stderr
    names = ("Ip.OutNoRoutes", "Tcp.ActiveOpens", "Udp.OutDatagrams", "Ip6OutNoRoutes")
    assert {name: tried[name] for name in names} == dict.fromkeys(names, 0)


@pytest.mark.slow
def test_the_void_would_show_a_connection(environment: dict[str, str]) -> None:
    script = f"import urllib.request as u; u.urlopen({NOBODY!r}, timeout=5)"
    done, tried = in_a_void([sys.executable, "-c", script], environment)
    assert "unreachable" in done.stderr
    assert tried["Ip.OutNoRoutes"] > 0


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace")
@pytest.mark.parametrize(("host", "asks"), [("127.0.0.1", False), ("0.0.0.0", True)])
def test_no_call_of_the_kernel_connects(
    tmp_path: Path, environment: dict[str, str], host: str, asks: bool
) -> None:
    if asks:
        made = [sys.executable, "-m", "edge_runtime", "token", "new"]
        subprocess.run(made, env=environment, check=True, capture_output=True, timeout=60)
    calls = tmp_path / "calls"
    traced = ["strace", "-f", "-qq", "-e", "trace=connect,bind", "-o", str(calls)]
    done = subprocess.run(
        [*traced, *RUN, "--host", host, "--max-frames", "20"],
        capture_output=True,
        text=True,
        timeout=120,
        env=environment,
        check=False,
    )
    if "ptrace" in done.stderr:
        pytest.skip(f"no tracing here: {done.stderr.strip()}")
    assert done.returncode == 0, done.stderr
    text = calls.read_text()
    assert re.search(r"bind\(.*AF_INET", text), "it does not even see the page"
    assert [line for line in text.splitlines() if "connect(" in line and "AF_INET" in line] == []


@contextmanager
def running(environment: dict[str, str], folder: Path) -> Iterator[str]:
    child = subprocess.Popen(
        RUN, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, env=environment,
        cwd=folder,
    )  # fmt: skip
    assert child.stderr is not None
    try:
        yield child.stderr.readline().removeprefix("page: ").strip()
        child.send_signal(signal.SIGTERM)
        child.communicate(timeout=20)
        assert child.returncode == 0
    finally:
        child.kill()
        child.communicate()


@pytest.mark.slow
def test_no_picture_and_no_result_is_stored(tmp_path: Path, environment: dict[str, str]) -> None:
    folder = tmp_path / "work"
    folder.mkdir()
    with running(environment, folder) as page:
        with urllib.request.urlopen(f"{page}api/v1/snapshot.jpg", timeout=30) as answer:
            assert answer.read().startswith(PICTURES[0])
        with urllib.request.urlopen(f"{page}api/v1/stream.mjpg", timeout=30) as stream:
            assert len(stream.read(50_000)) == 50_000
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    # A run without models handed in and without tokens has nothing to remember.
    assert [path.relative_to(tmp_path).as_posix() for path in files] == []
    told = (Path(__file__).parents[2] / "docs" / "privacy.md").read_text()
    assert "`edge-runtime run` writes no picture and no result to disk" in told
