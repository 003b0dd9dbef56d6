"""An installation by pip becomes a service, and stops being one."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from edge_runtime.errors import InstallationUnsuited, SupervisorUnavailable
from edge_runtime.service.installation import Installation
from edge_runtime.service.systemctl import Systemctl, run_program
from edge_runtime.service.unit import NAME, quoted, service_unit
from tests.service.systemd_fake import FakeSystemd, said

PROGRAM = ("/opt/edge/.venv/bin/python", "-m", "edge_runtime")


@pytest.fixture
def systemd(tmp_path: Path) -> FakeSystemd:
    return FakeSystemd(tmp_path)


@pytest.fixture
def installation(systemd: FakeSystemd) -> Installation:
    return Installation(Systemctl(root=systemd.root, run=systemd.run), root=systemd.root)


def unit_of(systemd: FakeSystemd) -> Path:
    return systemd.root / "etc/systemd/system" / NAME


def test_it_starts_this_python_now_and_at_boot(
    installation: Installation, systemd: FakeSystemd
) -> None:
    written = installation.install(PROGRAM, [Path("/usr")])
    assert systemd.running == {NAME: "/opt/edge/.venv/bin/python -m edge_runtime run"}
    assert systemd.enabled == {NAME}
    assert systemd.users == ["edge-runtime"]
    assert all(path.stat().st_mode & 0o777 == 0o644 for path in written)
    assert [path.name for path in written] == [
        NAME,
        "edge-runtime.slice",
        "edge-runtime.conf",
    ]


def test_the_start_is_not_waited_for(installation: Installation, systemd: FakeSystemd) -> None:
    installation.install(PROGRAM, [])
    (start,) = (words for words in systemd.asked if "restart" in words)
    assert "--no-block" in start


def test_installing_without_a_start(installation: Installation, systemd: FakeSystemd) -> None:
    installation.install(PROGRAM, [], start=False)
    assert (systemd.running, systemd.enabled) == ({}, {NAME})


def test_installing_again_takes_the_new_program(
    installation: Installation, systemd: FakeSystemd
) -> None:
    installation.install(PROGRAM, [])
    installation.install(("/opt/new/bin/python", "-m", "edge_runtime"), [])
    assert systemd.running == {NAME: "/opt/new/bin/python -m edge_runtime run"}


def test_uninstalling_leaves_no_file(installation: Installation, systemd: FakeSystemd) -> None:
    written = installation.install(PROGRAM, [])
    assert installation.uninstall() == written
    assert [path for path in systemd.root.glob("etc/**/*") if path.is_file()] == []
    assert (systemd.running, systemd.enabled, systemd.loaded) == ({}, set(), {})


def test_there_is_nothing_to_uninstall(installation: Installation, systemd: FakeSystemd) -> None:
    with pytest.raises(InstallationUnsuited, match=r"apt remove edge-runtime"):
        installation.uninstall()
    assert systemd.asked == []


def test_a_unit_somebody_wrote_is_left_alone(
    installation: Installation, systemd: FakeSystemd
) -> None:
    unit = unit_of(systemd)
    unit.parent.mkdir(parents=True)
    unit.write_text("[Service]\nExecStart=/bin/true\n")
    with pytest.raises(InstallationUnsuited, match="was not written by"):
        installation.install(PROGRAM, [])
    with pytest.raises(InstallationUnsuited, match="somebody else's"):
        installation.uninstall()
    assert unit.read_text() == "[Service]\nExecStart=/bin/true\n"


def test_the_packages_service_is_not_covered(
    installation: Installation, systemd: FakeSystemd
) -> None:
    packaged = systemd.root / "usr/lib/systemd/system" / NAME
    packaged.parent.mkdir(parents=True)
    packaged.touch()
    with pytest.raises(InstallationUnsuited, match="Debian package has installed"):
        installation.install(PROGRAM, [])
    assert not unit_of(systemd).exists()


def test_a_folder_the_service_may_not_enter(tmp_path: Path) -> None:
    closed = tmp_path / "mine"
    (closed / "venv").mkdir(parents=True)
    closed.chmod(0o700)
    with pytest.raises(InstallationUnsuited, match=rf"may not enter {closed}\b.*/opt/edge-runtime"):
        service_unit(PROGRAM, [closed / "venv"])


def test_homes_are_hidden_unless_the_program_lies_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge_runtime.service.unit._refuse_closed", lambda place: None)
    assert "ProtectHome=yes" in service_unit(PROGRAM, [Path("/opt/edge")])
    assert "ProtectHome=read-only" in service_unit(PROGRAM, [Path("/home/pi/edge")])


def test_systemd_says_no(systemd: FakeSystemd) -> None:
    def refusing(words: Sequence[str]) -> subprocess.CompletedProcess[str]:
        return said(error="Failed to reload: Access denied\n", code=1)

    installation = Installation(Systemctl(root=systemd.root, run=refusing), root=systemd.root)
    with pytest.raises(SupervisorUnavailable, match="failed: Failed to reload: Access denied"):
        installation.install(PROGRAM, [])


def test_without_systemd(tmp_path: Path) -> None:
    with pytest.raises(SupervisorUnavailable, match="`edge-runtime run` works without it"):
        Systemctl(root=tmp_path)


def test_a_full_or_read_only_disk(systemd: FakeSystemd, installation: Installation) -> None:
    (systemd.root / "etc").write_text("no folder")
    with pytest.raises(SupervisorUnavailable, match=r"edge-runtime\.service cannot be written"):
        installation.install(PROGRAM, [])


def test_a_program_that_is_not_there() -> None:
    with pytest.raises(SupervisorUnavailable, match="no-such-program cannot be run"):
        run_program(["no-such-program"])


@pytest.mark.parametrize(
    ("word", "written"),
    [
        ("/opt/a/python", "/opt/a/python"),
        ("/opt/my edge/python", '"/opt/my edge/python"'),
        ("/opt/100%/$x", "/opt/100%%/$$x"),
        ('a"b\\', '"a\\"b\\\\"'),
    ],
)
def test_words_as_systemd_reads_them(word: str, written: str) -> None:
    assert quoted(word) == written


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")
def test_systemd_reads_the_unit_of_a_folder_with_spaces(tmp_path: Path) -> None:
    program = tmp_path / "my edge 100%" / "python"
    program.parent.mkdir()
    program.symlink_to(sys.executable)
    unit = tmp_path / NAME
    unit.write_text(service_unit([str(program), "-m", "edge_runtime"], []))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(unit)],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
        env=dict(os.environ, LC_ALL="C"),
    )
    ours = [line for line in done.stderr.splitlines() if str(tmp_path) in line or NAME in line]
    assert [line for line in ours if "Unknown key" not in line] == []
