"""Messages reach a real datagram socket, and trouble with it reaches nobody."""

from __future__ import annotations

import logging
import uuid
from pathlib import Path

import pytest

from edge_runtime.service.notifier import LONGEST_STATUS, Notifier
from tests.service.listening import Supervisor


def test_a_message_arrives_as_assignments(tmp_path: Path) -> None:
    with (
        Supervisor(tmp_path / "notify") as supervisor,
        Notifier(supervisor.address) as notifier,
    ):
        assert notifier.tell({"READY": 1, "STATUS": "29.9 fps, 52.3 °C"})
        assert supervisor.messages() == [{"READY": "1", "STATUS": "29.9 fps, 52.3 °C"}]


def test_an_abstract_socket_is_found() -> None:
    with (
        Supervisor(f"@edge-runtime-{uuid.uuid4()}") as supervisor,
        Notifier(supervisor.address) as notifier,
    ):
        assert notifier.tell({"WATCHDOG": 1})
        assert supervisor.messages() == [{"WATCHDOG": "1"}]


def test_a_status_cannot_smuggle_in_another_assignment(tmp_path: Path) -> None:
    with (
        Supervisor(tmp_path / "notify") as supervisor,
        Notifier(supervisor.address) as notifier,
    ):
        notifier.tell({"STATUS": "lost\nREADY=1\n" + "x" * 1000})
        (message,) = supervisor.messages()
        assert message.keys() == {"STATUS"}
        assert len(message["STATUS"]) == LONGEST_STATUS


@pytest.mark.parametrize("address", [None, ""])
def test_without_a_supervisor_nothing_is_told(address: str | None) -> None:
    notifier = Notifier(address)
    assert not notifier.supervised
    assert not notifier.tell({"READY": 1})


def test_a_supervisor_that_is_gone_is_complained_of_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with Notifier(str(tmp_path / "nobody")) as notifier, caplog.at_level(logging.WARNING):
        assert not notifier.tell({"WATCHDOG": 1})
        assert not notifier.tell({"WATCHDOG": 1})
    assert len(caplog.messages) == 1


def test_a_supervisor_that_does_not_read_makes_nobody_wait(tmp_path: Path) -> None:
    with (
        Supervisor(tmp_path / "notify") as supervisor,
        Notifier(supervisor.address) as notifier,
    ):
        told = [notifier.tell({"STATUS": "x" * 150}) for _ in range(100_000 // 50)]
        assert not told[-1]  # the queue is full, and yet we are here
        supervisor.messages()
        assert notifier.tell({"WATCHDOG": 1})


def test_an_address_of_another_kind_is_said_and_left_alone(
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert not Notifier("vsock:2:1234").supervised
    assert "vsock:2:1234" in caplog.text
