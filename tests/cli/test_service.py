"""``edge-runtime service`` as it is typed."""

from __future__ import annotations

import stat
import sys
from pathlib import Path

import pytest

from edge_runtime import errors
from edge_runtime.cli import service
from edge_runtime.cli.main import main
from edge_runtime.service.installation import Installation
from edge_runtime.service.systemctl import Systemctl
from tests.service.systemd_fake import FakeSystemd


@pytest.fixture
def systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeSystemd:
    """The commands speak to a fake, as root, and write below ``tmp_path``."""
    fake = FakeSystemd(tmp_path)
    monkeypatch.setattr(service, "Systemctl", lambda: Systemctl(root=tmp_path, run=fake.run))
    monkeypatch.setattr(service, "Installation", lambda ctl: Installation(ctl, root=tmp_path))
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr(service, "_places", lambda: ())
    return fake


def test_install_status_uninstall(systemd: FakeSystemd, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["service", "status"]) == 1
    assert "not installed" in capsys.readouterr().out
    assert main(["service", "install"]) == 0
    assert "starts at boot, and is starting now" in capsys.readouterr().out
    (command,) = systemd.running.values()
    assert command == f"{sys.executable} -m edge_runtime run"
    systemd.properties["StatusText"] = "30 fps"
    assert main(["service", "status"]) == 0
    assert capsys.readouterr().out.splitlines() == ["active", "30 fps", "at boot: starts"]
    assert main(["service", "uninstall"]) == 0
    assert "still there: /etc/edge-runtime" in capsys.readouterr().out
    assert systemd.running == {}


@pytest.mark.parametrize("command", ["install", "uninstall"])
def test_without_root(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert main(["service", command]) == 10
    said = capsys.readouterr().err
    assert f"sudo {sys.executable} -m edge_runtime service {command}" in said


def test_the_interpreter_and_the_package_have_to_be_within_reach() -> None:
    assert Path(errors.__file__).parent in service._places()
    assert Path(sys.executable).parent in service._places()


def test_logs_come_from_the_journal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    journal = tmp_path / "journalctl"
    journal.write_text('#!/bin/sh\necho "$@"\nexit 3\n')
    journal.chmod(journal.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    assert main(["service", "logs", "--lines", "5", "--follow"]) == 3
    assert capfd.readouterr().out == "--unit=edge-runtime.service --lines=5 --follow\n"


def test_no_journal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main(["service", "logs"]) == 10
    assert "no journalctl here" in capsys.readouterr().err
