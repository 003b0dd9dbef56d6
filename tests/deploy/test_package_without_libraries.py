"""The Debian package with all that is ours and nothing from elsewhere: built within seconds.

What lintian and dpkg say of it they say of the whole one, too, whose libraries are taken as they
are. The whole one is built by scripts/test --package.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from edge_runtime.update.keep import FOLDER
from edge_runtime.update.repack import SHIPPED

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="needs dpkg-deb (dpkg-dev)"),
    pytest.mark.skipif(
        os.environ.get("CI") != "true", reason="needs the network for hatchling; CI=true runs it"
    ),
]

SETTINGS = "/etc/edge-runtime/config.toml"


def run(words: Sequence[str | Path], **more: object) -> str:
    done = subprocess.run(words, capture_output=True, text=True, check=False, **more)  # type: ignore[call-overload]
    assert done.returncode == 0, f"{words}\n{done.stdout}\n{done.stderr}"
    return str(done.stdout)


def build(repository: Path, output: Path) -> Path:
    script = repository / "deploy" / "deb" / "build"
    return Path(run([script, "--without-libraries", "--output", output]).strip())


@pytest.fixture(scope="module")
def package(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(repository, tmp_path_factory.mktemp("deb"))


@pytest.fixture(scope="module")
def unpacked(package: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("root")
    run(["dpkg-deb", "-x", package, root])
    return root


def test_its_name_says_that_it_does_not_run(package: Path) -> None:
    assert package.name.startswith("edge-runtime-without-libraries_")
    assert run(["dpkg-deb", "--field", package, "Architecture"]) == "arm64\n"


def test_two_builds_are_the_same(repository: Path, package: Path, tmp_path: Path) -> None:
    again = build(repository, tmp_path)
    assert (
        hashlib.sha256(again.read_bytes()).digest() == hashlib.sha256(package.read_bytes()).digest()
    )


@pytest.mark.skipif(shutil.which("lintian") is None, reason="needs lintian")
def test_lintian_finds_no_error(package: Path) -> None:
    root = ["--allow-root"] if os.geteuid() == 0 else []
    run(["lintian", "--fail-on", "error", *root, package])


def test_the_settings_are_kept_and_lie_once_more_as_shipped(package: Path, unpacked: Path) -> None:
    assert SETTINGS in run(["dpkg-deb", "--info", package, "conffiles"]).splitlines()
    shipped = (unpacked / SHIPPED).read_bytes()
    assert shipped == (unpacked / SETTINGS.removeprefix("/")).read_bytes()


def test_every_boot_mends_an_update_that_was_cut_short(unpacked: Path) -> None:
    units = unpacked / "usr/lib/systemd/system"
    wanted = units / "multi-user.target.wants/edge-runtime-update.service"
    assert wanted.resolve() == (units / "edge-runtime-update.service").resolve()
    assert wanted.exists()


def test_purging_leaves_nothing_and_removing_leaves_all(package: Path, tmp_path: Path) -> None:
    """The script as it is, with other places for its folders."""
    script = run(["dpkg-deb", "--info", package, "postrm"])
    kept = [tmp_path / "var/lib/edge-runtime/models", tmp_path / str(FOLDER).removeprefix("/")]
    kept.append(tmp_path / "etc/edge-runtime")
    for folder in kept:
        folder.mkdir(parents=True)
    for place in ("/var/lib/", "/etc/", "/run/edge-runtime"):
        script = script.replace(f" {place}", f" {tmp_path}{place}")
    postrm = tmp_path / "postrm"
    postrm.write_text(script)
    # Without the commands of Debian that would speak of this machine's units.
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("rm", "rmdir"):
        (programs / name).symlink_to(str(shutil.which(name)))
    environ = {"PATH": str(programs)}
    run(["/bin/sh", postrm, "upgrade"], env=environ)
    assert all(folder.exists() for folder in kept)
    run(["/bin/sh", postrm, "purge"], env=environ)
    assert [folder for folder in kept if folder.exists()] == []
    assert not (tmp_path / "var/lib/edge-runtime").exists()
