"""Webhooks against a real server: what it gets, when it is tried again, what is never said."""

from __future__ import annotations

import socket
import threading
import time
from pathlib import Path

import pytest

from edge_runtime.errors import ActionFailed, ActionUnavailable
from edge_runtime.events.action import Firing
from edge_runtime.events.webhook import WebhookAction, read_headers
from tests.events.receiver import Receiver, certificate
from tests.events.told import event
from tests.events.waits import Waits

FIRING = Firing("bell", event(number=42, score=0.9, box=(1, 2, 3, 4)))


def test_the_event_arrives_as_json() -> None:
    with Receiver() as receiver:
        WebhookAction(f"{receiver.url}/hook?key=1").run(FIRING, Waits().wait)
    (got,) = receiver.got
    assert got.path == "/hook?key=1"
    assert got.body == FIRING.as_json()
    assert got.body["fields"] == {"score": 0.9, "box": [1, 2, 3, 4]}
    assert got.headers["Content-Type"] == "application/json"
    assert got.headers["Idempotency-Key"] == "bell-42"


def test_a_server_in_trouble_is_tried_again_with_growing_pauses() -> None:
    waits = Waits()
    with Receiver((503, 500, 204)) as receiver:
        WebhookAction(receiver.url, tries=3).run(FIRING, waits.wait)
    assert len(receiver.got) == 3
    assert waits.slept == [1.0, 2.0]
    assert len({got.headers["Idempotency-Key"] for got in receiver.got}) == 1


def test_it_gives_up_after_its_tries_and_says_what_was_answered() -> None:
    with Receiver((503,)) as receiver:
        action = WebhookAction(f"{receiver.url}/secret-path", tries=2)
        with pytest.raises(ActionFailed, match="answered 503") as failed:
            action.run(FIRING, Waits().wait)
    assert len(receiver.got) == 2
    assert "secret-path" not in str(failed.value)
    assert "(2 tries)" in str(failed.value)


@pytest.mark.parametrize("code", [302, 400, 401, 404])
def test_what_trying_again_does_not_mend_is_not_tried_again(code: int) -> None:
    with Receiver((code,)) as receiver, pytest.raises(ActionFailed, match=f"answered {code}"):
        WebhookAction(receiver.url, tries=5).run(FIRING, Waits().wait)
    assert [got.path for got in receiver.got] == ["/"]


def test_nobody_there_is_a_failure_in_words() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, but nobody listens
        action = WebhookAction(f"http://127.0.0.1:{taken.getsockname()[1]}/", tries=2)
        with pytest.raises(ActionFailed, match=r"Connection refused \(2 tries\)"):
            action.run(FIRING, Waits().wait)


def test_a_server_that_does_not_answer_is_left_after_the_timeout() -> None:
    with Receiver((0,)) as receiver:
        action = WebhookAction(receiver.url, timeout_s=0.1, tries=1)
        with pytest.raises(ActionFailed, match=r"no answer within 0\.1 s"):
            action.run(FIRING, Waits().wait)


def test_a_server_that_drips_its_answer_is_left_after_the_same_timeout() -> None:
    """Every byte is in time for the socket's own timeout; all together they are not."""
    done = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def drip() -> None:
            peer, _ = listening.accept()
            with peer:
                while not done.wait(0.02):
                    try:
                        peer.send(b"H")
                    except OSError:
                        return

        dripping = threading.Thread(target=drip)
        dripping.start()
        began = time.monotonic()
        action = WebhookAction(
            f"http://127.0.0.1:{listening.getsockname()[1]}", timeout_s=0.2, tries=1
        )
        with pytest.raises(ActionFailed, match=r"no answer within 0\.2 s"):
            action.run(FIRING, Waits().wait)
        done.set()
        dripping.join(5)
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("answer", [b"SSH-2.0-OpenSSH_9\r\n", b"\0" * 100, b""])
def test_what_speaks_no_http_is_said_to(answer: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer_once() -> None:
            peer, _ = listening.accept()
            with peer:
                peer.recv(65536)
                peer.sendall(answer)

        answering = threading.Thread(target=answer_once)
        answering.start()
        action = WebhookAction(f"http://127.0.0.1:{listening.getsockname()[1]}", tries=1)
        with pytest.raises(ActionFailed, match=r"HTTP|closed"):
            action.run(FIRING, Waits().wait)
        answering.join(5)


def test_stopping_ends_a_try_under_way_and_the_pause_before_the_next() -> None:
    with Receiver((0,)) as receiver:
        action = WebhookAction(receiver.url, timeout_s=30.0)
        failed: list[str] = []

        def run() -> None:
            try:
                action.run(FIRING, Waits().wait)
            except ActionFailed as error:
                failed.append(str(error))

        running = threading.Thread(target=run)
        running.start()
        assert receiver.came.acquire(timeout=5)
        action.cancel()
        running.join(5)
        assert not running.is_alive()
    assert "given up because the rule ends" in failed[0]
    waits = Waits()
    waits.stopping = True
    with Receiver((503,)) as receiver, pytest.raises(ActionFailed, match="rule ends"):
        WebhookAction(receiver.url).run(FIRING, waits.wait)
    assert len(receiver.got) == 1


def test_certificates_are_verified_and_an_own_one_can_be_trusted(tmp_path: Path) -> None:
    trusted, tls = certificate(tmp_path)
    with Receiver(tls=tls) as receiver:
        with pytest.raises(ActionFailed, match="certificate is not trusted"):
            WebhookAction(receiver.url, tries=3).run(FIRING, Waits().wait)
        assert receiver.got == []
        WebhookAction(receiver.url, ca_file=trusted).run(FIRING, Waits().wait)
        wrong_name = receiver.url.replace("127.0.0.1", "localhost")
        with pytest.raises(ActionFailed, match="certificate is not trusted"):
            WebhookAction(wrong_name, ca_file=trusted).run(FIRING, Waits().wait)
    assert len(receiver.got) == 1


def test_a_secret_is_sent_read_anew_and_never_said(tmp_path: Path) -> None:
    secret = tmp_path / "headers"
    secret.write_text("# for the receiver\nAuthorization: Bearer first\n\nX-Room: hall\n")
    with Receiver((500,)) as receiver:
        action = WebhookAction(receiver.url, headers_file=secret, tries=1)
        with pytest.raises(ActionFailed) as failed:
            action.run(FIRING, Waits().wait)
        secret.write_text("Authorization: Bearer second\n")
        with pytest.raises(ActionFailed):
            action.run(FIRING, Waits().wait)
    assert [got.headers["Authorization"] for got in receiver.got] == [
        "Bearer first",
        "Bearer second",
    ]
    assert receiver.got[0].headers["X-Room"] == "hall"
    assert "first" not in f"{failed.value} {action.description}"


@pytest.mark.parametrize("line", ["Authorization", "no name: x", ": x", "Name:", "A\rB: c"])
def test_a_line_that_is_no_header_is_refused_without_repeating_it(
    tmp_path: Path, line: str
) -> None:
    secret = tmp_path / "headers"
    secret.write_bytes(b"X-Good: yes\n" + line.encode() + b"\n")
    with pytest.raises(ActionUnavailable, match=r"line \d is no header") as refused:
        read_headers(secret)
    assert line not in str(refused.value) or line in ("Authorization",)


def test_files_that_are_missing_are_known_when_the_program_starts(tmp_path: Path) -> None:
    with pytest.raises(ActionUnavailable, match="cannot be read: No such file"):
        WebhookAction("http://127.0.0.1", headers_file=tmp_path / "gone")
    with pytest.raises(ActionUnavailable, match="holds no certificates"):
        WebhookAction("https://127.0.0.1", ca_file=tmp_path / "gone")
