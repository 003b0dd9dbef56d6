"""The Debian package, built: twice the same, clean, and running from where it was unpacked.

Takes minutes and the network: scripts/test --package.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.package,
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="needs dpkg-deb (dpkg-dev)"),
]

SYSTEM_PYTHON = Path("/usr/bin/python3")


def run(words: Sequence[str | Path], **more: object) -> str:
    done = subprocess.run(words, capture_output=True, text=True, check=False, **more)  # type: ignore[call-overload]
    assert done.returncode == 0, f"{words}\n{done.stdout}\n{done.stderr}"
    return str(done.stdout)


def build(repository: Path, output: Path) -> Path:
    script = repository / "deploy" / "deb" / "build"
    said = run([script, "--arch", "amd64", "--output", output])
    return Path(said.strip())


@pytest.fixture(scope="module")
def package(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(repository, tmp_path_factory.mktemp("deb"))


@pytest.fixture(scope="module")
def unpacked(package: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("root")
    run(["dpkg-deb", "-x", package, root])
    return root


def test_two_builds_are_the_same(repository: Path, package: Path, tmp_path: Path) -> None:
    again = build(repository, tmp_path)
    hashes = {hashlib.sha256(each.read_bytes()).hexdigest() for each in (package, again)}
    assert len(hashes) == 1


def test_its_settings_are_kept_on_upgrade(package: Path) -> None:
    assert run(["dpkg-deb", "-I", package, "conffiles"]).split() == [
        "/etc/avahi/services/edge-runtime.service",
        "/etc/edge-runtime/config.toml",
    ]


def test_the_checksums_are_those_of_the_files(package: Path, unpacked: Path) -> None:
    sums = run(["dpkg-deb", "-I", package, "md5sums"])
    run(["md5sum", "--check", "--quiet", "-"], input=sums, cwd=unpacked)


def test_nothing_tells_of_the_building_machine(repository: Path, unpacked: Path) -> None:
    found = subprocess.run(
        ["grep", "-rlF", str(repository), unpacked], capture_output=True, text=True, check=False
    )
    assert found.stdout == ""


@pytest.mark.skipif(shutil.which("lintian") is None, reason="needs lintian")
def test_lintian_finds_no_error(package: Path) -> None:
    root = ["--allow-root"] if os.geteuid() == 0 else []
    run(["lintian", "--fail-on", "error", *root, package])


@pytest.mark.skipif(not SYSTEM_PYTHON.exists(), reason="needs Debian's Python")
def test_it_runs_the_demo_from_where_it_was_unpacked(unpacked: Path, tmp_path: Path) -> None:
    launcher = tmp_path / "edge-runtime"
    text = (unpacked / "usr/bin/edge-runtime").read_text()
    launcher.write_text(text.replace("/usr/lib/", f"{unpacked}/usr/lib/"))
    said = run(
        [SYSTEM_PYTHON, launcher, "run", "--source", "demo://?frames=30", "--no-web", "--json"],
        env={"HOME": str(tmp_path), "PATH": os.environ["PATH"]},
        timeout=120,
    )
    summary = json.loads(said)
    assert summary["frames"] == 30
    assert summary["self_check"]["found"] == summary["self_check"]["faces"] == 90
